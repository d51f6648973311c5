"""Making an original of a file that its uploader stored by itself: what was checked is what is kept."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog
from django.db.models import Exists

from media_jobs import keys
from media_jobs.adapters import database
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import (
    FileTooLarge,
    FormatNotAllowed,
    LeaseLost,
    ObjectMissing,
    StorageUnavailable,
    UploadChanged,
    UploadMismatch,
    UploadMissing,
)
from media_jobs.models import DirectUpload, Job, Original
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, Kind, sniff
from media_jobs.ports import Outgoing
from media_jobs.services.jobs.heartbeat import LeaseHeartbeat
from media_jobs.services.jobs.transitions import Lease
from media_jobs.services.originals import size_limits
from media_jobs.states import OriginalState

log = structlog.get_logger(__name__)

_FIELDS = ("state", "size_bytes", "sha256", "format", "content_type", "key")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Found:
    """What arrived."""

    kind: Kind
    size_bytes: int
    sha256: str


def promote_upload(
    original: Original, into: Path, *, lease: Lease, heartbeat: LeaseHeartbeat, limits: Mapping[str, Any] | None = None
) -> None:
    """Make the original active, its object stored, and its bytes lie in `into`; its fields are then as in its row.

    into: a file of ours, there or not. lease: of the job that needs it. limits: its, see `intake.create_job`.
    Raises UploadMissing, UploadMismatch, UploadChanged, UnsupportedFormat, FormatNotAllowed, FileTooLarge;
    StorageUnavailable, WorkspaceUnavailable, LeaseLost, what the heartbeat raises, and one of
    database.CONNECTION_ERRORS.

    The row is pinned to the bytes that were checked, and only then are they stored under the original's own key: a
    worker that dies leaves either nothing there or what its row names, and the next one goes on from that. The form may
    be used again all the while: whatever is stored with it changes nothing any more.
    """
    _Promotion(original, into, lease, heartbeat, limits).run()


class _Promotion:
    def __init__(
        self,
        original: Original,
        into: Path,
        lease: Lease,
        heartbeat: LeaseHeartbeat,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        self._original, self._into, self._limits = original, into, limits or {}
        self._lease, self._heartbeat = lease, heartbeat
        self._row = Original.objects.filter(pk=original.pk)

    def run(self) -> None:
        upload = self._retry(lambda: DirectUpload.objects.filter(original=self._original.pk).first())
        if upload is None or self._original.state == OriginalState.DELETED:
            raise UploadMissing
        if not self._is_stored():
            try:
                self._keep(self._arrived(upload))
            except UploadMissing:
                self._read()
                if not self._is_stored():  # by who lost this very job a moment ago
                    raise
        self._activate()
        log.info("upload_promoted", image=str(self._original.pk), bytes=self._original.size_bytes)
        _forget(upload.key)

    def _is_stored(self) -> bool:
        """Whether somebody came as far as that before, and died; if so, it is fetched."""
        if not self._original.sha256:
            return False
        try:
            store(Role.WORKER).fetch(self._original.key, self._into, heartbeat=self._heartbeat)
        except ObjectMissing:
            return False
        return _sha256(self._into) == self._original.sha256

    def _arrived(self, upload: DirectUpload) -> _Found:
        """The file that was stored with the form, fetched, and checked against what was announced."""
        size_bytes, sha256 = self._fetched(upload)
        if upload.sha256 not in ("", sha256):  # perhaps it was damaged on its way here
            size_bytes, sha256 = self._fetched(upload)
        if upload.size_bytes not in (None, size_bytes):
            raise UploadMismatch("size")
        if upload.sha256 not in ("", sha256):
            raise UploadMismatch("checksum")
        with self._into.open("rb") as file:
            kind = sniff(file.read(HEAD_BYTES))
        allowed = self._limits.get("formats")
        if allowed and kind.format not in allowed:
            raise FormatNotAllowed(found=kind.format.upper(), allowed=allowed)
        limit_bytes = min(size_limits().of(kind), self._most_bytes)
        if size_bytes > limit_bytes:
            raise FileTooLarge(limit_bytes=limit_bytes)
        return _Found(kind, size_bytes, sha256)

    def _fetched(self, upload: DirectUpload) -> tuple[int, str]:
        """Size and sha256 of what is in `into` then. Raises UploadMissing."""
        try:
            store(Role.WORKER).fetch(upload.key, self._into, heartbeat=self._size_checking_heartbeat(upload))
        except ObjectMissing:
            raise UploadMissing from None
        return self._into.stat().st_size, _sha256(self._into)

    def _size_checking_heartbeat(self, upload: DirectUpload) -> Callable[[], None]:
        """A heartbeat that ends what is larger than the form allowed: not every storage holds to that."""
        most_bytes = upload.size_bytes or min(size_limits().largest_bytes, self._most_bytes)

        def heartbeat() -> None:
            self._heartbeat()
            if self._into.exists() and self._into.stat().st_size > most_bytes:
                raise UploadMismatch("size") if upload.size_bytes else FileTooLarge(limit_bytes=most_bytes)

        return heartbeat

    @property
    def _most_bytes(self) -> int:
        """What its product takes."""
        return self._limits.get("bytes") or size_limits().largest_bytes

    def _keep(self, found: _Found) -> None:
        self._pin(found)
        outgoing = Outgoing(self._original.key, self._into, self._original.content_type)
        store(Role.WORKER).put([outgoing], heartbeat=self._heartbeat)

    def _pin(self, found: _Found) -> None:
        """Bind the original to these bytes: it becomes them or nothing. Raises LeaseLost, UploadChanged."""
        held = Job.objects.filter(self._lease.holds, pk=self._lease.job_id)
        new = self._row.filter(Exists(held), state=OriginalState.STAGED, sha256="")
        facts: dict[str, Any] = {
            "size_bytes": found.size_bytes,
            "sha256": found.sha256,
            "format": found.kind.format,
            "content_type": found.kind.content_type,
            "key": keys.original_key(self._original.pk, found.kind.extension),
        }
        self._retry(lambda: new.update(**facts))
        self._read()
        if not self._original.sha256:
            raise LeaseLost(str(self._lease.job_id))
        if self._original.sha256 != found.sha256:
            raise UploadChanged

    def _activate(self) -> None:
        """Make the original active. The lease may be lost by now: the object is there, and it is the right one."""
        row = self._row.filter(sha256=self._original.sha256)

        def activate() -> bool:
            became = row.filter(state=OriginalState.STAGED).update(state=OriginalState.ACTIVE)
            return bool(became) or row.filter(state=OriginalState.ACTIVE).exists()

        if not self._retry(activate):  # given up meanwhile, after days: nobody else removes what came too late
            _forget(self._original.key)
            raise UploadMissing
        self._original.state = OriginalState.ACTIVE

    def _read(self) -> None:
        self._retry(lambda: self._original.refresh_from_db(fields=_FIELDS))

    def _retry(self, do: Callable[[], Result]) -> Result:
        return database.retry_on_disconnect(do, for_s=self._heartbeat.retry_for_s)


def _forget(key: str) -> None:
    """Best effort: housekeeping comes by when the form has expired."""
    try:
        store(Role.WORKER).delete(key)
    except StorageUnavailable:
        log.warning("upload_left", key=key)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
