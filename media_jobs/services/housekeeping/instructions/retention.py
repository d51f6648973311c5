"""Files of instructions that their products keep no longer: derivatives first, then the job, then the original.

Their details stay, and say so. A step that was cut off is found again by the detail, which loses its job only when
nothing but the original is left.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from media_jobs.instruction_lists import time_is_over
from media_jobs.models import InstructionDetail, Job
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.retention import deleted_originals
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.states import JobState

_UNFINISHED = (JobState.QUEUED, JobState.PROCESSING)


def find(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_due().select_related("job")):
        yield [Finding(f"{row} of {row.owner}, {row.state} {row.finished_at:%Y-%m-%d}", row) for row in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    emptied = [finding.subject.job.original_id for finding in findings if _is_emptied(task_run, finding.subject)]
    for image_id in emptied:
        Job.objects.filter(original=image_id).delete()
    deleted_originals.remove_deleted(task_run, emptied)
    return len(emptied)


def _is_emptied(task_run: TaskRun, detail: Any) -> bool:
    image_id, is_due = detail.job.original_id, _due().filter(pk=detail.pk).exists
    return deleted_originals.give_up(image_id, is_due=is_due) and deleted_originals.remove_derivatives(
        task_run, image_id
    )


def _due() -> QuerySet[InstructionDetail]:
    unfinished = Job.objects.filter(original=OuterRef("job__original"), state__in=_UNFINISHED)
    return InstructionDetail.objects.filter(time_is_over(), ~Exists(unfinished), job__isnull=False)
