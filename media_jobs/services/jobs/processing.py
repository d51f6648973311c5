"""What a worker does with a job: claim it, make an attempt, and say in its row what came of it."""

from uuid import UUID

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.adapters import database, queue
from media_jobs.errors import (
    Blame,
    DecoderTimeout,
    LeaseLost,
    MediaError,
    NotClaimable,
    Unexpected,
    WorkerStopping,
)
from media_jobs.models import Job
from media_jobs.services.jobs import dispatch, failures, outage
from media_jobs.services.jobs.attempt import PROGRESS, Attempt
from media_jobs.services.jobs.transitions import Lease, lease_end, move
from media_jobs.services.jobs.worker import close, duty, sandbox, worker_id, workspace
from media_jobs.states import JobState, Lane, Stage

__all__ = ["claim", "close", "put_back", "run", "sandbox", "worker_id", "workspace"]

log = structlog.get_logger(__name__)

#: A worker that stops has no more time than this for a database that is away.
_LAST_WORDS_S = 3.0


def run(job_id: UUID) -> None:
    """Do the job if it is there to be done. A second delivery, or one after a cancel, does nothing.

    Raises queue.JobTimeout where that comes while the outcome is being written, and nothing else that is an Exception.
    """
    try:
        job = claim(job_id, worker_id())
        _make(Attempt(job))
    except NotClaimable as reason:
        log.info("job_not_claimable", job=str(job_id), reason=str(reason))
    except database.CONNECTION_ERRORS as error:  # what the row says now is unknown: see `put_back`
        duty.wary = True
        log.exception("database_away", job=str(job_id), error=type(error).__name__)
    else:
        dispatch.wake(*dict.fromkeys((Lane(job.lane), *Lane)))  # that of the job first


def claim(job_id: UUID, worker: str) -> Job:
    """Take the job for `worker`. Raises NotClaimable when another has it, or nobody should, or nobody should yet:
    what failed for want of storage or disk is taken up again by who has seen that they are back.

    Raises one of database.CONNECTION_ERRORS when the database stays away.
    """
    before = database.retry_on_disconnect(lambda: Job.objects.filter(pk=job_id).values_list("attempt", "code").first())
    if before is None:
        raise NotClaimable("not_waiting")
    attempts, code = before
    if failures.is_outage(code) and (reason := outage.reason()):
        duty.wary = True
        raise NotClaimable(reason)
    lease = Lease(job_id, worker, attempts + 1)

    def take() -> bool:
        return move(
            job_id,
            Q(state=JobState.QUEUED, not_before__lte=Now(), attempt=attempts),
            "claimed",
            actor=worker,
            data={"attempt": lease.attempt},
            state=JobState.PROCESSING,
            stage=Stage.FETCHING,
            progress=PROGRESS[Stage.FETCHING],
            attempt=lease.attempt,
            worker=worker,
            lease_until=lease_end(),
            started_at=Now(),
            code="",
            detail="",
        )

    if not database.retry_on_disconnect(take, unless=Job.objects.filter(lease.holds, pk=job_id).exists):
        raise NotClaimable("not_waiting")
    return database.retry_on_disconnect(lambda: Job.objects.select_related("original", "preset").get(pk=job_id))


def put_back() -> int:
    """Queue again what bears this worker's name although it works on nothing; how many jobs. Called between jobs.

    So it is when the database went away in the middle of a job. That attempt is spent, as when a lease runs out: a job
    that brings this about again and again comes to an end. Raises one of database.CONNECTION_ERRORS.
    """
    mine = Job.objects.filter(state=JobState.PROCESSING, worker=worker_id())
    count = sum(_put_back(job) for job in mine.only("id", "attempt", "max_attempts", "worker", "lane"))
    if count:
        log.warning("jobs_put_back", jobs=count)
        dispatch.wake()
    return count


def _put_back(job: Job) -> bool:
    still = Lease(job.pk, job.worker, job.attempt).holds
    data = {"lane": job.lane, "reason": "outcome_unknown"}
    return failures.requeue_or_fail(job, still, "handed_back", actor=job.worker, data=data)


def _make(attempt: Attempt) -> None:
    """Raises one of database.CONNECTION_ERRORS when the outcome could not be written, and queue.JobTimeout."""
    try:
        _do(attempt)
    finally:
        attempt.clear_away()


def _do(attempt: Attempt) -> None:
    job = attempt.job
    try:
        attempt.do()
    except LeaseLost:
        if Job.objects.filter(pk=job.pk, state=JobState.CANCELLED).exists():
            log.info("job_cancelled", job=str(job.pk), attempt=job.attempt)
        else:
            log.warning("lease_lost", job=str(job.pk), attempt=job.attempt)
    except WorkerStopping:
        _hand_back(attempt)
    except (SystemExit, KeyboardInterrupt):  # told to stop a second time
        _hand_back(attempt)
        raise
    except queue.JobTimeout:
        _close(attempt, DecoderTimeout(limit_s=attempt.limit_s))
    except MediaError as error:
        _close(attempt, error)
    except database.CONNECTION_ERRORS:
        raise
    except Exception as error:  # a bug of ours must end the job, not the worker
        log.exception("job_crashed", job=str(job.pk), attempt=job.attempt)
        _close(attempt, Unexpected(), bug=error)


def _close(attempt: Attempt, error: MediaError, bug: Exception | None = None) -> None:
    if error.blame is Blame.SERVER:
        duty.wary = True
    database.retry_on_disconnect(
        lambda: failures.close_attempt(attempt.lease, attempt.job, error, usage=attempt.usage, bug=bug),
        for_s=_LAST_WORDS_S if duty.stopping else database.RETRY_FOR_S,
    )


def _hand_back(attempt: Attempt) -> None:
    lane = Lane(attempt.job.lane)
    handed = database.retry_on_disconnect(lambda: failures.hand_back(attempt.lease, lane), for_s=_LAST_WORDS_S)
    log.info("job_handed_back", job=str(attempt.job.pk), attempt=attempt.job.attempt, lease_held=handed)
