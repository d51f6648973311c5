"""Accepting an upload: stream it to the storage, then make row and job visible in one transaction."""

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from media_jobs import keys, selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import Caller
from media_jobs.errors import BacklogFull, StorageUnavailable
from media_jobs.models import Job, Original, Preset
from media_jobs.models.base import uuid7
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.pipeline.values import Keep, Overrides
from media_jobs.services import dispatch, transitions
from media_jobs.states import Lane, OriginalState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an uploader asks for beside the preset. It is kept with the original, for every run to come.

    preserve: switches of `values.Keep` by name; those that are not named are as the settings say.
    """

    preserve: dict[str, bool] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=Overrides)

    def columns(self) -> dict[str, Any]:
        """The fields of an original that hold them."""
        focus = self.overrides.focus
        return {
            "preserve": self.preserve,
            "rotation": self.overrides.rotation,
            "focus_x": focus.x if focus else None,
            "focus_y": focus.y if focus else None,
        }


def keep_by_default() -> Keep:
    """Which facts may be written down of pictures whose uploaders said nothing."""
    return Keep(
        timestamps=settings.PRESERVE_TIMESTAMPS,
        camera_info=settings.PRESERVE_CAMERA_INFO,
        gps=settings.PRESERVE_GPS,
        device_serial=settings.PRESERVE_DEVICE_SERIAL,
    )


def refuse_when_full() -> None:
    """Raises BacklogFull when too much is waiting already; called before a byte is stored."""
    if selectors.backlog_reaches(settings.MAX_BACKLOG):
        raise BacklogFull


class Upload:
    """One file on its way in. Its row exists (pending) before its object does.

    Ends with `accept` or `abort`. After `abort`, or after the process died, nothing is left once housekeeping ran.
    """

    def __init__(self, kind: Kind, *, filename: str, caller: Caller) -> None:
        image_id = uuid7()
        self.original = Original.objects.create(
            id=image_id,
            owner=caller.id,
            filename=filename[:255],
            format=kind.format,
            content_type=kind.content_type,
            key=keys.original_key(image_id, kind.extension),
        )
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._ended = self._may_exist = False
        self._writer = store(Role.WEB).begin(self.original.key, content_type=kind.content_type)

    def write(self, chunk: bytes) -> None:
        """Send on the next bytes. Raises StorageUnavailable."""
        self._writer.write(chunk)
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def accept(self, *, preset: Preset, caller: Caller, wishes: Wishes | None = None) -> Job:
        """Commit the object, then activate the original and queue its job. Raises StorageUnavailable."""
        self._may_exist = True
        self._writer.commit()
        with transaction.atomic():
            job = self._activate(preset, caller, wishes or Wishes())
            transaction.on_commit(partial(dispatch.wake, Lane.INTERACTIVE), robust=True)
        self._ended = True
        log.info("upload_accepted", job=str(job.pk), image=str(self.original.pk), bytes=self.size_bytes)
        return job

    def abort(self) -> None:
        """Forget the upload. Does nothing when it was accepted or aborted before."""
        if self._ended:
            return
        self._ended = True
        self._writer.abort()
        row = Original.objects.filter(pk=self.original.pk)
        pending = row.filter(state=OriginalState.PENDING)
        if not self._may_exist:
            pending.delete()
        # The object may have come to be; this process must not delete it, so its row tells a worker to.
        elif not pending.update(state=OriginalState.DELETED) and not row.exists():
            self.original.state = OriginalState.DELETED
            self.original.save(force_insert=True)

    def _activate(self, preset: Preset, caller: Caller, wishes: Wishes) -> Job:
        whole = {
            "state": OriginalState.ACTIVE,
            "size_bytes": self.size_bytes,
            "sha256": self._hash.hexdigest(),
            **wishes.columns(),
        }
        if not Original.objects.filter(pk=self.original.pk, state=OriginalState.PENDING).update(**whole):
            raise StorageUnavailable("keeping an upload that took too long")  # housekeeping has swept it
        return create_job(self.original, preset=preset, caller=caller, lane=Lane.INTERACTIVE)


def create_job(original: Original, *, preset: Preset, caller: Caller, lane: Lane) -> Job:
    """A queued job over all renditions of `preset`, with the first line of its history. Needs a transaction."""
    job = Job.objects.create(
        original=original,
        preset=preset,
        wanted=[rendition.name for rendition in preset.renditions.all()],
        owner=original.owner,
        lane=lane,
        turn=transitions.next_turn(lane, original.owner),
        max_attempts=settings.MAX_ATTEMPTS,
        last_event=1,
    )
    transitions.record(job.pk, "queued", actor=caller)
    return job
