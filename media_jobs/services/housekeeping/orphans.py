"""Objects that no row names: found in the storage, kept for a while, then deleted."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import Model, Q, QuerySet

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import Blame, MediaError
from media_jobs.keys import ORIGINALS_PREFIX, PREFIXES, is_ours
from media_jobs.models import Derivative, DirectUpload, Original, Tombstone
from media_jobs.selectors import batches
from media_jobs.services import object_deletion
from media_jobs.services.housekeeping.task import Finding, TaskRun, batched
from media_jobs.services.jobs.transitions import from_now

#: Where more objects than these were listed, at most half of them may have no row.
_SAFETY_LIMIT_FROM = 100
_LISTED_TOGETHER = 500
#: So many are marked after one listing; the next one finds the others.
_MOST_ORPHANS = 5000


class ForeignStorage(MediaError):
    """Most stored objects belong to no row, so none is touched."""

    code = "foreign_storage"
    blame = Blame.NOBODY
    sentence = (
        "Of {listed:,} stored objects {orphans:,} have no row: this looks like the storage of another database. "
        "Nothing was marked. Check DATABASE_URL and the storage's settings; after a restore, whether it was whole."
    )


@dataclass
class _Listing:
    """How far the storage was listed, and what was found without a row. after: the last key, in the storage's order."""

    after: str = ""
    listed: int = 0
    unreferenced: int = 0
    orphans: list[str] = field(default_factory=list)

    def add(self, keys: list[str]) -> None:
        """Note the next keys, of which only those that this service made are its business."""
        self.after = keys[-1]
        ours = [key for key in keys if is_ours(key)]
        found = _unreferenced(ours)
        self.listed += len(ours)
        self.unreferenced += len(found)
        self.orphans += found[: _MOST_ORPHANS - len(self.orphans)]

    def check(self) -> None:
        """Raises ForeignStorage."""
        if self.listed > _SAFETY_LIMIT_FROM and self.unreferenced * 2 > self.listed:
            raise ForeignStorage(listed=self.listed, orphans=self.unreferenced)


def find_orphans(task_run: TaskRun) -> Iterator[list[Finding]]:
    """Find objects without a row and without a tombstone. Raises ForeignStorage, StorageUnavailable.

    Goes on where an earlier run stopped; what that found is still unmarked, as it is the whole that decides.
    """
    listing = _Listing(**task_run.progress)
    for keys in batched(_stored(listing.after), _LISTED_TOGETHER):
        listing.add(keys)
        task_run.progress = asdict(listing)
        task_run.examined(len(keys))
        if task_run.is_out_of_time():
            task_run.paused = True
            return
    try:
        listing.check()
    except ForeignStorage:
        task_run.progress = {}
        raise
    for keys in batched(listing.orphans):
        known = set(Tombstone.objects.filter(key__in=keys).values_list("key", flat=True))
        if findings := [Finding(f"{key}: no row names it", key) for key in keys if key not in known]:
            yield findings


def mark_orphans(_: TaskRun, findings: list[Finding]) -> int:
    """Note since when they are orphans; what a row names later stays."""
    Tombstone.objects.bulk_create([Tombstone(key=finding.subject) for finding in findings], ignore_conflicts=True)
    return len(findings)


def find_tombstones(task_run: TaskRun) -> Iterator[list[Finding]]:
    """Find objects whose deleter died, and orphans that no row has named for long enough.

    An original that has no row by the end of its upload never gets one; a derivative may be wanted again.
    """
    ages = task_run.ages
    due = (
        Q(deleting=True, created_at__lte=from_now(-ages.deleting_s))
        | Q(deleting=False, created_at__lte=from_now(-ages.orphan_s))
        | Q(deleting=False, key__startswith=ORIGINALS_PREFIX, created_at__lte=from_now(-ages.leftover_s))
    )
    for page in batches(Tombstone.objects.filter(due)):
        yield [Finding(f"{row.key}: {'half deleted' if row.deleting else 'no row names it'}", row.key) for row in page]


def delete_objects(task_run: TaskRun, findings: list[Finding]) -> int:
    return len(
        task_run.for_each(
            findings, lambda key: object_deletion.delete_unreferenced(key, dead_after_s=task_run.ages.deleting_s)
        )
    )


def _stored(after: str) -> Iterator[str]:
    """Yield the keys under our prefixes that come behind `after`. Raises StorageUnavailable."""
    for prefix in sorted(PREFIXES):
        if prefix > after or after.startswith(prefix):
            yield from store(Role.WORKER).keys(prefix, after=after)


def _unreferenced(keys: list[str]) -> list[str]:
    """Return the keys that no row names. The row of an upload of this moment may still come: nothing goes at once."""
    tables = (Original, Derivative, DirectUpload)
    named = {key for table in tables for key in _named(table, keys)}
    return [key for key in keys if key not in named]


def _named(table: type[Model], keys: list[str]) -> "QuerySet[Any, str]":
    return table._default_manager.filter(key__in=keys).values_list("key", flat=True)
