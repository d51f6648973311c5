"""Accepting an upload: stream it to the storage, then write original and job in one transaction."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction

from media_jobs import keys, selectors
from media_jobs.adapters import database
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import Caller
from media_jobs.errors import WrongState
from media_jobs.models import Job, Original, Preset
from media_jobs.models.base import uuid7
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.pipeline.values import Overrides
from media_jobs.services import idempotency
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.images import tagging
from media_jobs.services.jobs import dispatch, estimates, transitions
from media_jobs.states import Lane, OriginalState

log = structlog.get_logger(__name__)

#: Whoever leaves a row behind may have waited for a locked database already, and its client with it.
_LEAVING_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What an uploader asks for beside the preset. It is kept with the original, for every run to come.

    preserve: switches of `values.Keep` by name; those that are not named are as the settings say.
    rights: fields of `values.Rights` by name; the file decides those that are not named.
    """

    preserve: dict[str, bool] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=Overrides)
    rights: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    def columns(self) -> dict[str, Any]:
        """The fields of an original that hold them."""
        focus = self.overrides.focus
        return {
            "preserve": self.preserve,
            "rotation": self.overrides.rotation,
            "focus_x": focus.x if focus else None,
            "focus_y": focus.y if focus else None,
            "stated_rights": self.rights,
            **self.rights,
        }


@dataclass(frozen=True, slots=True)
class Accepted:
    """An upload that was taken in, and its job.

    estimated_ms: until it is probably done. duplicate_of: an earlier original of the same uploader with these bytes.
    shadow_id: of the shadow that it was uploaded for, if any.
    """

    job: Job
    estimated_ms: int
    duplicate_of: UUID | None = None
    shadow_id: UUID | None = None


class HashingSink:
    """Counts and hashes a file while it arrives, and keeps it nowhere."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def abort(self) -> None:
        """There is nothing to forget."""


class Upload(HashingSink):
    """One file on its way in. Ends with `accept` or `abort`.

    Its object exists before its row, for a moment. What a process that dies in that moment leaves is an object that no
    row names: housekeeping finds it. Before it, there is only an unfinished write, which housekeeping finds, too.
    """

    def __init__(self, kind: Kind, *, filename: str, caller: Caller) -> None:
        super().__init__()
        image_id = uuid7()
        self.original = Original(
            id=image_id,
            state=OriginalState.ACTIVE,
            owner=caller.id,
            filename=filename[:255],
            format=kind.format,
            content_type=kind.content_type,
            key=keys.original_key(image_id, kind.extension),
        )
        self._ended = self._may_exist = False
        self._writer = store(Role.WEB).begin(self.original.key, content_type=kind.content_type)

    def write(self, chunk: bytes) -> None:
        """Send on the next bytes. Raises StorageUnavailable."""
        self._writer.write(chunk)
        super().write(chunk)

    def accept(
        self,
        *,
        preset: Preset,
        caller: Caller,
        build_answer: Callable[[Accepted], Answer],
        options: UploadOptions | None = None,
        sent: Sent | None = None,
    ) -> Answer:
        """Commit the object, write the original and queue its job; `build_answer` says so in the caller's words.

        With `sent`, only if that was not answered before: an answer that is `replayed` has accepted nothing, and the
        upload is still to be aborted. Raises StorageUnavailable, IdempotencyKeyReused.
        """
        asked = options or UploadOptions()
        answer = idempotency.once(
            sent, lambda: build_answer(self.write_rows(preset, caller, asked)), beforehand=self.commit
        )
        if not answer.replayed:
            self.end()
        return answer

    def abort(self) -> None:
        """Forget the upload, unless it was accepted or aborted before. Never fails for want of a database."""
        if self._ended:
            return
        self._ended = True
        self._writer.abort()
        if self._may_exist:
            self._leave_to_housekeeping()

    def end(self) -> None:
        """Note that the transaction with its rows was committed: there is nothing left to abort."""
        self._ended = True

    def commit(self) -> None:
        """Commit the object; again it does nothing. Raises StorageUnavailable."""
        self._may_exist = True
        self._writer.commit(sha256=self.sha256)
        estimates.pace(Lane.INTERACTIVE)  # now, and not while the transaction is open

    def write_rows(
        self,
        preset: Preset,
        caller: Caller,
        options: UploadOptions,
        limits: Mapping[str, Any] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Accepted:
        """Write the original and queue its job. Needs a transaction, after `commit`. limits: see `create_job`."""
        original = self.original
        duplicate_of = selectors.same_bytes(original.owner, self.sha256)
        original.size_bytes, original.sha256 = self.size_bytes, self.sha256
        for name, value in options.columns().items():
            setattr(original, name, value)
        original.save(force_insert=True)
        tagging.add(original, options.tags)
        return enqueue_job(original, preset=preset, caller=caller, duplicate_of=duplicate_of, limits=limits, lane=lane)

    def _leave_to_housekeeping(self) -> None:
        """The object may have come to be, and this process must not delete it: a row tells a worker to, at once.

        Without a database there will be no such row, and the object is found with the next listing.
        """
        try:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()  # perhaps it was this one connection that broke
            self.original.state = OriginalState.DELETED
            with database.in_a_hurry(_LEAVING_LIMIT_S):
                if not Original.objects.filter(pk=self.original.pk).exists():  # else only the commit's answer was lost
                    self.original.save(force_insert=True)
        except DatabaseError as error:
            log.warning("upload_left_behind", key=self.original.key, error=str(error))


def enqueue_job(
    original: Original,
    *,
    preset: Preset,
    caller: Caller,
    duplicate_of: UUID | None = None,
    limits: Mapping[str, Any] | None = None,
    lane: Lane = Lane.INTERACTIVE,
) -> Accepted:
    """Queue the job of an original that was just accepted; workers hear of it after the commit. Needs a transaction."""
    job = create_job(original, preset=preset, caller=caller, lane=lane, limits=limits)

    def notify() -> None:
        log.info("upload_accepted", job=str(job.pk), image=str(original.pk), bytes=original.size_bytes or None)
        dispatch.notify(lane)

    transaction.on_commit(notify, robust=True)
    return Accepted(job, estimates.remaining_ms(job), duplicate_of)


def create_job(
    original: Original, *, preset: Preset, caller: Caller, lane: Lane, limits: Mapping[str, Any] | None = None
) -> Job:
    """A queued job over all renditions of `preset`, with the first line of its history. Needs a transaction.

    limits: what its file may have besides the service's own limits: `pixels`, `bytes`, `formats`.

    From then on nobody removes the original. Raises WrongState when somebody has begun to.
    """
    row = Original.objects.select_for_update(no_key=True).filter(pk=original.pk)
    place = transitions.next_position(lane, original.owner)
    state, deleted_at, position = row.values_list("state", "deleted_at", place).first() or (None, None, 0)
    if deleted_at or state in (OriginalState.DELETED, None):
        raise WrongState("This image has been deleted.")
    job = Job.objects.create(
        original=original,
        preset=preset,
        wanted=[rendition.name for rendition in preset.renditions.all()],
        owner=original.owner,
        limits=dict(limits or {}),
        lane=lane,
        queue_position=position,
        max_attempts=settings.MAX_ATTEMPTS,
        last_event=1,
    )
    transitions.record(job.pk, "queued", actor=caller, number=1)
    return job
