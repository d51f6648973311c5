"""Fetching the original of a shadow from the site's storage, and queueing its job."""

import hashlib
from pathlib import Path

import structlog
from django.db import transaction

from media_jobs import keys, selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.errors import EmptyFile, FileTooLarge, LeaseLost, MediaError
from media_jobs.models import Original
from media_jobs.models.base import uuid7
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, sniff
from media_jobs.pipeline.recipes import LEGACY
from media_jobs.ports import Outgoing
from media_jobs.services.cutover import legacy
from media_jobs.services.cutover.holding import Hold
from media_jobs.services.cutover.shadows import TAG
from media_jobs.services.images import tagging
from media_jobs.services.jobs import dispatch
from media_jobs.services.originals import size_limits
from media_jobs.services.uploads import intake
from media_jobs.states import Lane, OriginalState, ShadowState

log = structlog.get_logger(__name__)


def fetch(hold: Hold, folder: Path) -> bool:
    """Copy the site's file under a key of ours, and queue its job; False where the site has no such file.

    It becomes an original of the service itself: who names a key gets to know nothing of what is in the file. Raises
    ImageRefused and EmptyFile for what no upload could be, StorageUnavailable, LeaseLost, WorkerStopping,
    WorkspaceUnavailable.
    """
    key, file = hold.shadow.legacy_key, folder / "original"
    store(Role.WORKER).check_room()
    if not legacy.fetch(key, file, heartbeat=hold, most_bytes=size_limits().largest_bytes):
        return False
    original = _original(key, file)
    try:
        # An answer may be lost, and the object be there.
        store(Role.WORKER).put([Outgoing(original.key, file, original.content_type)], heartbeat=hold)
        _write_rows(hold, original)
    except MediaError:  # LeaseLost among them
        original.state = OriginalState.DELETED
        original.save(force_insert=True)  # housekeeping removes object and row
        raise
    log.info("shadow_fetched", shadow=str(hold.shadow.pk), image=str(original.pk), bytes=original.size_bytes)
    dispatch.notify(Lane.BULK)
    return True


def _original(key: str, file: Path) -> Original:
    size_bytes = file.stat().st_size
    if not size_bytes:
        raise EmptyFile("The file is empty.")
    with file.open("rb") as opened:
        kind = sniff(opened.read(HEAD_BYTES))
        opened.seek(0)
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    if size_bytes > (limit_bytes := size_limits().of(kind)):
        raise FileTooLarge(limit_bytes=limit_bytes)
    image_id = uuid7()
    return Original(
        id=image_id,
        state=OriginalState.ACTIVE,
        owner=SYSTEM.id,
        filename=key.rpartition("/")[2],
        format=kind.format,
        content_type=kind.content_type,
        key=keys.original_key(image_id, kind.extension),
        size_bytes=size_bytes,
        sha256=sha256,
    )


def _write_rows(hold: Hold, original: Original) -> None:
    preset = selectors.current_preset(LEGACY.name)
    with transaction.atomic():
        original.save(force_insert=True)
        tagging.add(original, (TAG,))
        job = intake.create_job(original, preset=preset, caller=SYSTEM, lane=Lane.BULK)
        if not hold.end(ShadowState.RENDERING, original=original, job=job):
            raise LeaseLost(str(hold.shadow.pk))
