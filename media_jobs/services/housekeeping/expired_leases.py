"""Jobs whose worker went silent."""

from collections.abc import Iterator

from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.callers import SYSTEM
from media_jobs.models import Job
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs import failures
from media_jobs.states import JobState

_EXPIRED = Q(state=JobState.PROCESSING, lease_until__lt=Now())


def find(_: TaskRun) -> Iterator[list[Finding]]:
    jobs = Job.objects.filter(_EXPIRED).only("id", "attempt", "max_attempts", "worker", "lane")
    for page in batches(jobs):
        yield [
            Finding(f"job {job.pk}, attempt {job.attempt} of {job.max_attempts}, held by {job.worker}", job)
            for job in page
        ]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    return len(task_run.for_each(findings, _expire))


def _expire(job: Job) -> bool:
    still = _EXPIRED & Q(attempt=job.attempt, worker=job.worker)
    return failures.requeue_or_fail(job, still, "lease_expired", actor=SYSTEM, data={"worker": job.worker})
