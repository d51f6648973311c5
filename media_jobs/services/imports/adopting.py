"""Adopting objects: each becomes an original once, and nothing is copied unless asked."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

import structlog
from django.db import transaction
from django.db.models import Q

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import Blame, EmptyFile, FileTooLarge, MediaError, StorageDenied
from media_jobs.models import Original, Tombstone
from media_jobs.models.base import uuid7
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, Kind, sniff
from media_jobs.ports import Listed, Outgoing
from media_jobs.services import object_deletion
from media_jobs.services.housekeeping.task import batched
from media_jobs.services.imports.stated_rights import Stated, StatedRights
from media_jobs.services.originals import size_limits
from media_jobs.states import OriginalState

log = structlog.get_logger(__name__)

#: Objects that are looked up together.
_PAGE = 200
_NOT_STATED = Stated({})


class NotAdoptable(MediaError):
    """The object stays as it is."""

    code = "not_adoptable"
    blame = Blame.CALLER
    sentence = "This object is not taken: {}."


class Fate(StrEnum):
    """What became of an object."""

    ADOPTED = "adopted"
    KNOWN = "known"  #: it was adopted before, or uploaded
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """error: why it was refused."""

    key: str
    fate: Fate
    size_bytes: int
    error: MediaError | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """Which objects are adopted, and how.

    owner: whose images they become. only: a pattern of whole keys, such as `*_original.*`.
    copy: under a key of our own, beside the object, which is then not needed any more.
    dry_run: nothing is changed, nor is a file looked into.
    """

    prefix: str
    owner: str
    only: str = "*"
    copy: bool = False
    dry_run: bool = False

    def run(self, folder: Path, rights: StatedRights | None = None) -> Iterator[Outcome]:
        """Adopt what has no row yet, and say what became of each object as it comes.

        folder: for a temporary file. May be cut off anywhere, and repeated: it goes on behind what has a row.
        Raises StorageUnavailable, WorkspaceFull.
        """
        listing = (one for one in store(Role.WORKER).objects(self.prefix) if fnmatchcase(one.key, self.only))
        for page in batched(listing, _PAGE):
            stated = rights.of(listed.key for listed in page) if rights else {}
            known = _known([listed.key for listed in page])
            for listed in page:
                outcome = Outcome(listed.key, Fate.KNOWN, listed.size_bytes)
                if listed.key not in known:
                    outcome = self._adopt(outcome, listed, stated.get(listed.key, _NOT_STATED), folder / "object")
                yield outcome

    def _adopt(self, outcome: Outcome, listed: Listed, stated: Stated, file: Path) -> Outcome:
        try:
            self._check(listed, stated)
            if not self.dry_run and not self._write(listed, stated, file):
                return outcome  # somebody else did, at this moment
        except StorageDenied:
            raise
        except MediaError as error:
            if error.blame is Blame.SERVER:
                raise
            return replace(outcome, fate=Fate.REFUSED, error=error)
        finally:
            file.unlink(missing_ok=True)
        return replace(outcome, fate=Fate.ADOPTED)

    def _check(self, listed: Listed, stated: Stated) -> None:
        """What can be told without reading the file. Raises NotAdoptable, EmptyFile, FileTooLarge."""
        try:
            keys.checked(listed.key)
        except ValueError as error:
            raise NotAdoptable(
                "its key has signs that an address does not carry, or more than 255; letters, digits and “. _ - /” are "
                "taken. Rename it"
            ) from error
        if keys.is_public(listed.key) or listed.key.startswith(keys.UPLOADS_PREFIX):
            raise NotAdoptable("where it lies, this service keeps derivatives or uploads, and removes what has no row")
        if stated.bad:
            raise NotAdoptable(f"its row in the file of rights is bad: {stated.bad}")
        if not listed.size_bytes:
            raise EmptyFile("The file is empty.")
        limit_bytes = size_limits().largest_bytes
        if listed.size_bytes > limit_bytes:
            raise FileTooLarge(limit_bytes=limit_bytes)

    def _write(self, listed: Listed, stated: Stated, file: Path) -> bool:
        """Read the file, copy it if that is wanted, and write its row; False where there is one by now."""
        store(Role.WORKER).fetch(listed.key, file)
        size_bytes = file.stat().st_size
        with file.open("rb") as opened:
            kind = sniff(opened.read(HEAD_BYTES))
            opened.seek(0)
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        if size_bytes > (limit_bytes := size_limits().of(kind)):
            raise FileTooLarge(limit_bytes=limit_bytes)
        original = self._original(listed, kind, stated)
        original.size_bytes, original.sha256 = size_bytes, sha256
        if original.key != listed.key:
            store(Role.WORKER).put([Outgoing(original.key, file, kind.content_type)])
        if _saved(original):
            return True
        if original.key != listed.key:
            object_deletion.delete_unreferenced(original.key)
        return False

    def _original(self, listed: Listed, kind: Kind, stated: Stated) -> Original:
        # One of our own whose row was lost goes by its old name, as do the derivatives that may be left of it.
        ours = keys.image_of(listed.key)
        image_id = ours or uuid7()
        return Original(
            id=image_id,
            state=OriginalState.ACTIVE,
            owner=self.owner,
            filename=listed.key.rpartition("/")[2],
            format=kind.format,
            content_type=kind.content_type,
            key=keys.original_key(image_id, kind.extension) if self.copy and not ours else listed.key,
            imported_from=listed.key,
            stated_rights=stated.rights,
            **stated.rights,
        )


def _known(these: list[str]) -> set[str]:
    rows = Original.objects.filter(Q(key__in=these) | Q(imported_from__in=these))
    return {key for row in rows.values_list("key", "imported_from") for key in row}


def _saved(original: Original) -> bool:
    """Write the row, unless the object has one. Raises NotAdoptable while somebody removes it."""
    with transaction.atomic():
        # Found without a row before, and not deleted yet: the deleter looks for a row once more under this lock.
        tombstone = Tombstone.objects.select_for_update().filter(key=original.key).first()
        if tombstone and tombstone.deleting:
            raise NotAdoptable("somebody is just removing it")
        Original.objects.bulk_create([original], ignore_conflicts=True)
        ours = Original.objects.filter(pk=original.pk, sha256=original.sha256, imported_from=original.imported_from)
        saved = ours.exists()
    if saved:
        log.info("original_imported", image=str(original.pk), key=original.key, bytes=original.size_bytes)
    return saved
