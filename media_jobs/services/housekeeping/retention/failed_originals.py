"""Originals of which no picture could be made, where their presets say how long to keep them."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from media_jobs.models import Derivative, InstructionDetail, Job, Original, Preset
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.retention import deleted_originals
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import JobState, OriginalState


def find(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_given_up().only("id", "filename", "owner")):
        yield [Finding(f"{row} of {row.owner} ({row.pk}): failed, and its time is over", row.pk) for row in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    """Give up row and jobs in one step; then remove its object and the rest as those of aborted uploads."""
    return deleted_originals.remove_deleted(
        task_run, [finding.subject for finding in findings if _give_up(finding.subject)]
    )


def _give_up(original_id: UUID) -> bool:
    """Lock the original and its jobs, so that nobody gives it a new job or retries an old one meanwhile."""
    with transaction.atomic():
        Original.objects.select_for_update().filter(pk=original_id).values_list("pk").first()
        jobs = Job.objects.filter(original=original_id)
        list(jobs.select_for_update().order_by("pk").values_list("pk"))
        if not _given_up().filter(pk=original_id).update(state=OriginalState.DELETED):
            return False
        jobs.delete()
    return True


def _given_up() -> QuerySet[Original]:
    """Originals with nothing but jobs whose preset's time is over, and without any derivative.

    Of files of instructions their products decide: see `instructions.retention`.
    """
    over = _time_is_over()
    jobs = Job.objects.filter(original=OuterRef("pk"))
    return Original.objects.filter(
        Exists(jobs.filter(over, state=JobState.FAILED)),
        ~Exists(jobs.exclude(pk__in=Job.objects.filter(over, original=OuterRef("original")).values("pk"))),
        ~Exists(InstructionDetail.objects.filter(job__original=OuterRef("pk"))),
        ~Exists(Derivative.objects.filter(original=OuterRef("pk"))),
        state__in=(OriginalState.ACTIVE, OriginalState.STAGED, OriginalState.DELETED),
    )


def _time_is_over() -> Q:
    """Match failed and cancelled jobs past the time of their preset's current version; none where it sets no time."""
    over = Q(pk__in=[])
    for name, days in Preset.objects.filter(current=True, failed_days__isnull=False).values_list("name", "failed_days"):
        before = from_now(-timedelta(days=days or 0).total_seconds())
        over |= Q(preset__name=name, finished_at__lt=before, state__in=(JobState.FAILED, JobState.CANCELLED))
    return over
