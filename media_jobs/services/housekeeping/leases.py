"""Jobs whose worker went silent."""

from collections.abc import Iterator

from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.callers import SYSTEM
from media_jobs.errors import WorkerLost
from media_jobs.models import Job
from media_jobs.services.housekeeping.part import Find, Sitting, batches
from media_jobs.services.transitions import failed, move, waiting, why
from media_jobs.states import JobState, Lane

_EXPIRED = Q(state=JobState.PROCESSING, lease_until__lt=Now())


def find(_: Sitting) -> Iterator[list[Find]]:
    jobs = Job.objects.filter(_EXPIRED).only("id", "attempt", "max_attempts", "worker", "lane")
    for page in batches(jobs):
        yield [
            Find(f"job {job.pk}, attempt {job.attempt} of {job.max_attempts}, held by {job.worker}", job)
            for job in page
        ]


def mend(sitting: Sitting, finds: list[Find]) -> int:
    return len(sitting.each(finds, _expire))


def expire() -> tuple[int, int]:
    """Queue again what a silent worker held; fail what has used up its attempts. Returns how many of each."""
    requeued = gave_up = 0
    for job in Job.objects.filter(_EXPIRED).only("id", "attempt", "max_attempts", "worker", "lane"):
        if _may_try_again(job):
            requeued += _expire(job)
        else:
            gave_up += _expire(job)
    return requeued, gave_up


def _expire(job: Job) -> bool:
    """Once more, and before others, or not at all after so many workers have died of it."""
    still = _EXPIRED & Q(attempt=job.attempt, worker=job.worker)
    if _may_try_again(job):
        data = {"worker": job.worker}
        return move(job.pk, still, "lease_expired", actor=SYSTEM, data=data, **waiting(Lane(job.lane)))
    error = WorkerLost(attempts=job.attempt)
    return move(job.pk, still, "failed", actor=SYSTEM, data=why(error), **failed(error))


def _may_try_again(job: Job) -> bool:
    return job.attempt < job.max_attempts
