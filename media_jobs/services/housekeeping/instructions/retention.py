"""Files of instructions that their products keep no longer: derivatives first, then the job, then the original.

Their details stay, and say so. A step that was cut off is found again by the detail, which loses its job only when
nothing but the original is left.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce, Now

from media_jobs.instruction_lists import time_is_over
from media_jobs.models import Derivative, InstructionDetail, Job, Original
from media_jobs.selectors import batches
from media_jobs.services import object_deletion
from media_jobs.services.housekeeping.retention import deleted_originals
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.states import DerivativeState, JobState, OriginalState

_UNFINISHED = (JobState.QUEUED, JobState.PROCESSING)


def find(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_due().select_related("job")):
        yield [Finding(f"{row} of {row.owner}, {row.state} {row.finished_at:%Y-%m-%d}", row) for row in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    emptied = [
        finding
        for finding in findings
        if _give_up(finding.subject) and _is_emptied(task_run, finding.subject.job.original_id)
    ]
    images = [finding.subject.job.original_id for finding in emptied]
    for image_id in images:
        Job.objects.filter(original=image_id).delete()
    deleted_originals.remove_deleted(task_run, images)
    return len(emptied)


def _give_up(detail: Any) -> bool:
    """Lock the original and its jobs, so that nobody gives it a new job or retries an old one meanwhile."""
    image_id = detail.job.original_id
    with transaction.atomic():
        Original.objects.select_for_update().filter(pk=image_id).values_list("pk").first()
        list(Job.objects.select_for_update().filter(original=image_id).order_by("pk").values_list("pk"))
        if not _due().filter(pk=detail.pk).exists():
            return False
        Original.objects.filter(pk=image_id).update(
            state=OriginalState.DELETED, deleted_at=Coalesce("deleted_at", Now())
        )
        current = Derivative.objects.filter(original=image_id, state=DerivativeState.CURRENT)
        current.update(state=DerivativeState.REPLACED, replaced_at=Now())
    return True


def _is_emptied(task_run: TaskRun, image_id: UUID) -> bool:
    """Remove all derivatives. False where one stays for the next time: the storage refused it, or time is up."""
    rows = [Finding(row.key, row) for row in Derivative.objects.filter(original=image_id)]
    task_run.for_each(rows, object_deletion.delete_derivative)
    return not Derivative.objects.filter(original=image_id).exists()


def _due() -> QuerySet[InstructionDetail]:
    unfinished = Job.objects.filter(original=OuterRef("job__original"), state__in=_UNFINISHED)
    return InstructionDetail.objects.filter(time_is_over(), ~Exists(unfinished), job__isnull=False)
