"""Slows a run while the rest of the service suffers, and longer each time that it still does.

While uploads wait it begins one image each time, so that it moves; while database or disk suffer, none.
"""

import shutil
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models.functions import Greatest
from django.utils import timezone

from media_jobs import selectors
from media_jobs.models import ReprocessRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import Lane

log = structlog.get_logger(__name__)

INTERACTIVE = "uploads_wait"
DATABASE = "database_slow"
DISK = "disk_nearly_full"
#: An upload that waits longer suffers.
UPLOAD_WAITS = timedelta(seconds=10)
#: A statement of a few rows that takes longer says that the database suffers.
SLOW_STATEMENT_S = 0.5
#: Below so many times MIN_FREE_DISK_MB uploads are still accepted, and runs begin nothing.
_DISK_TIMES = 2
_FIRST_S, _LONGEST_S = 2.0, 60.0


def window(run: ReprocessRun, *, statement_s: float) -> int:
    """Return how many jobs of the run may wait or be in work at once now. Where somebody suffers it backs off.

    statement_s: how long a statement of a few rows has just taken.
    """
    reason = _who_suffers(statement_s)
    if not reason:
        if run.throttle_s:
            ReprocessRun.objects.filter(pk=run.pk).update(throttle_s=0, throttled_until=None, throttle_reason="")
        return int(settings.QUEUE_SIZE)
    if run.throttled_until and run.throttled_until > timezone.now():
        return 0
    wait_s = min(_LONGEST_S, max(_FIRST_S, 2 * run.throttle_s))
    row = ReprocessRun.objects.filter(pk=run.pk)
    row.update(throttle_s=wait_s, throttled_until=from_now(wait_s), throttle_reason=reason)
    log.info("run_throttled", run=str(run.pk), reason=reason, wait_s=wait_s)
    return 1 if reason == INTERACTIVE else 0


def _who_suffers(statement_s: float) -> str:
    if statement_s > SLOW_STATEMENT_S:
        return DATABASE
    if _free_bytes() < _DISK_TIMES * settings.MIN_FREE_DISK_BYTES:
        return DISK
    next_upload = selectors.due(Lane.INTERACTIVE).annotate(since=Greatest("created_at", "not_before"))
    since = next_upload.filter(attempt=0).values_list("since", flat=True).first()
    return INTERACTIVE if since and since < timezone.now() - UPLOAD_WAITS else ""


def _free_bytes() -> int:
    """Return how much is free where files are written on this host."""
    places = [settings.WORK_DIR] if settings.S3_BUCKET else [settings.WORK_DIR, settings.OBJECTS_DIR]
    return min((shutil.disk_usage(place).free for place in places if place.exists()), default=2**63)
