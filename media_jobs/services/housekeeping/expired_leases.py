"""Jobs whose worker went silent."""

from collections.abc import Iterator

from media_jobs.models import Job
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.expired_leases import EXPIRED, expire


def find(_: TaskRun) -> Iterator[list[Finding]]:
    jobs = Job.objects.filter(EXPIRED).only("id", "attempt", "max_attempts", "worker", "lane", "original")
    for page in batches(jobs):
        yield [
            Finding(f"job {job.pk}, attempt {job.attempt} of {job.max_attempts}, held by {job.worker}", job)
            for job in page
        ]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    return len(task_run.for_each(findings, expire))
