"""Shadows: pictures that were made for a comparison, and comparisons that are worth another try."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from media_jobs.models import Job, Shadow
from media_jobs.pipeline.compare.judge import JUDGE_VERSION
from media_jobs.pipeline.compare.values import Reason, Verdict
from media_jobs.selectors import batches
from media_jobs.services.cutover.again import EXPIRED
from media_jobs.services.housekeeping.retention import deleted_originals
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import JobState, ShadowState

#: Nightly, what can be judged better than it was is judged again, as long as the scoreboard counts it.
_COUNTED_S = 7 * 86_400
_UNFINISHED = (ShadowState.FETCHING, ShadowState.RENDERING, ShadowState.DUE)


def find_again(_: TaskRun) -> Iterator[list[Finding]]:
    """Find what failed, what the site lacked, and what other rules judged."""
    for page in batches(_worth_another_look().only("id", "legacy_key", "state")):
        yield [Finding(f"{row.legacy_key}: {row.state}, compared again", row.pk) for row in page]


def compare_again(_: TaskRun, findings: list[Finding]) -> int:
    rows = _worth_another_look().filter(pk__in=[finding.subject for finding in findings])
    return rows.update(state=ShadowState.DUE, due_at=Now(), attempts=0)


def find_old(_: TaskRun) -> Iterator[list[Finding]]:
    """Find pictures whose time is over, and what came to no end by then."""
    if settings.SHADOW_DAYS:
        for page in batches(_old()):
            yield [Finding(f"{row.legacy_key}, of {row.created_at:%Y-%m-%d}", row) for row in page]


def forget_pictures(task_run: TaskRun, findings: list[Finding]) -> int:
    """Delete derivatives, original and job; the shadow stays with what was said of it."""
    emptied = [finding.subject for finding in findings if _give_up(task_run, finding.subject)]
    images = [shadow.original_id for shadow in emptied if shadow.original_id]
    for shadow in emptied:
        _part_with(shadow)
    deleted_originals.remove_deleted(task_run, images)
    return len(emptied)


def _give_up(task_run: TaskRun, shadow: Any) -> bool:
    """Remove its derivatives. False where something stays for the next time: the storage refused it, or time is up."""
    image_id = shadow.original_id
    if image_id is None:
        return True
    is_due = _old().filter(pk=shadow.pk).exists
    return deleted_originals.give_up(image_id, is_due=is_due) and deleted_originals.remove_derivatives(
        task_run, image_id
    )


def _part_with(shadow: Any) -> None:
    """In one step, so that the row is never deleted with its original."""
    gone = {"original": None, "job": None}
    with transaction.atomic():
        row = Shadow.objects.filter(pk=shadow.pk)
        row.filter(state__in=_UNFINISHED).update(
            **gone, state=ShadowState.FAILED, code=EXPIRED, detail="It came to no end within SHADOW_DAYS."
        )
        row.update(**gone)
        if shadow.original_id:
            Job.objects.filter(original=shadow.original_id).delete()


def _old() -> QuerySet[Shadow]:
    old = Shadow.objects.filter(created_at__lte=from_now(-settings.SHADOW_DAYS * 86_400))
    return old.filter(Q(original__isnull=False) | Q(state__in=_UNFINISHED))


def _worth_another_look() -> QuerySet[Shadow]:
    lately = Shadow.objects.filter(
        created_at__gt=from_now(-_COUNTED_S), original__isnull=False, original__deleted_at=None, job__isnull=False
    )
    otherwise = Q(state=ShadowState.COMPARED) & (~Q(judge=str(JUDGE_VERSION)) | Q(verdict=Verdict.MISSING))
    made_since = Q(state=ShadowState.COMPARED, reason=Reason.OURS_MISSING, job__state=JobState.DONE, measures=None)
    failed = Q(state=ShadowState.FAILED) & ~Q(job__state=JobState.CANCELLED)
    return lately.filter(judged_as="").filter(failed | otherwise | made_since)
