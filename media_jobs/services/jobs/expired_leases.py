"""Jobs whose worker went silent."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from media_jobs.callers import SYSTEM
from media_jobs.models import Job
from media_jobs.services.jobs import failures
from media_jobs.states import JobState

EXPIRED = Q(state=JobState.PROCESSING, lease_until__lt=Now())


def requeue(jobs: QuerySet[Job]) -> int:
    """Queue those of `jobs` again whose lease has run out, or fail them after their last attempt; how many."""
    return sum(map(expire, jobs.filter(EXPIRED).only("id", "attempt", "max_attempts", "worker", "lane", "original")))


def expire(job: Job) -> bool:
    """Do so with one that was found to be such a job; False where it no longer is."""
    still = EXPIRED & Q(attempt=job.attempt, worker=job.worker)
    return failures.requeue_or_fail(job, still, "lease_expired", actor=SYSTEM, data={"worker": job.worker})
