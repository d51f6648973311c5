"""Files that a dead worker left, and those that newer ones replaced."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from media_jobs.models import Derivative
from media_jobs.selectors import batches
from media_jobs.services import object_deletion
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import OPEN_RUNS, DerivativeState, JobState

#: How long a replaced file stays where caches and pages may still ask for it.
KEEP_REPLACED = timedelta(days=7)


def find(task_run: TaskRun) -> Iterator[list[Finding]]:
    """Find files of attempts whose job is no longer in work, since nobody publishes those, and replaced ones.

    What a run replaced stays at least as long as it can be rolled back.
    """
    abandoned = Derivative.objects.filter(
        state=DerivativeState.PENDING, created_at__lte=from_now(-task_run.ages.leftover_s)
    ).exclude(job__state=JobState.PROCESSING)
    replaced = Derivative.objects.filter(
        Q(replaced_by=None) | Q(replaced_by__run=None) | ~Q(replaced_by__run__state__in=OPEN_RUNS),
        state=DerivativeState.REPLACED,
        replaced_at__lte=from_now(-KEEP_REPLACED.total_seconds()),
    )
    for rows, why in ((abandoned, "left by a worker that died"), (replaced, "replaced by a newer one")):
        for page in batches(rows.only("id", "key", "original_id")):
            yield [Finding(f"{row.key}: {why}", row) for row in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    return len(task_run.for_each(findings, object_deletion.delete_derivative))
