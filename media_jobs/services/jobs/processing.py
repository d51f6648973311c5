"""What a worker does: claim a job, make an attempt, say in its row what came of it, and go on to the next."""

import time
from collections.abc import Callable

import structlog

from media_jobs import selectors, tracing
from media_jobs.adapters import database, queue
from media_jobs.errors import Blame, DecoderTimeout, LeaseLost, MediaError, QueueUnavailable, Unexpected, WorkerStopping
from media_jobs.models import Job
from media_jobs.services.jobs import dispatch, failures
from media_jobs.services.jobs.attempt import Attempt
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.services.jobs.transitions import Lease
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.runs import driving
from media_jobs.states import JobState, Lane

log = structlog.get_logger(__name__)

#: So long one wake-up is followed by one job after the other, before RQ is asked for the next wake-up.
SLICE_S = 1.0
#: A worker that stops has no more time than this for a database that is away.
_STOPPING_RETRY_S = 3.0


def process_lane(lane: Lane, worker: Worker) -> int:
    """Answer a wake-up: do due jobs of the lane, one after the other, for a while; how many.

    So RQ's bookkeeping is paid once for several jobs. Each further one takes a wake-up out of the list, which never
    holds more than there is work. Raises queue.JobTimeout where that comes while an outcome is being written, and
    nothing else that is an Exception.
    """
    done, until = 0, time.monotonic() + SLICE_S
    bulk_waits = lane is Lane.INTERACTIVE and selectors.due(Lane.BULK).exists()

    def claimed(job: Job) -> None:
        try:
            queue.describe_current_job(job.pk, job.attempt, traceparent=tracing.traceparent())
            if done:
                queue.drop_wakeup(lane)
        except QueueUnavailable:
            log.warning("queue_unavailable")

    while done == 0 or _may_go_on(lane, worker, until, bulk_waits):
        if not process_next(lane, worker, claimed):
            break
        done += 1
    else:
        dispatch.top_up(lane)
    if lane is Lane.BULK:
        _drive_runs(worker)
    return done


def process_without_queue(worker: Worker, *, for_s: float) -> None:
    """Do what is due in any lane, until nothing is or `for_s` seconds are over: Redis is away."""
    until = time.monotonic() + for_s
    while time.monotonic() < until and any(process_next(lane, worker) for lane in worker.next_lanes()):
        pass


def process_next(lane: Lane, worker: Worker, claimed: Callable[[Job], None] = lambda _: None) -> bool:
    """Do the lane's next job; False when there was none to do. `claimed` is called with it before it begins."""
    return process_one(lambda: claim_next(lane, worker), worker, claimed)


def process_one(
    claim: Callable[[], Job | None], worker: Worker, claimed: Callable[[Job], None] = lambda _: None
) -> bool:
    """Do the job that `claim` returns, held by `worker`; False when it returns none, or the worker should rest."""
    if worker.stopping or worker.suspects_outage:
        return False
    began = time.monotonic()
    try:
        job = claim()
        if job is None:
            return False
        asked_by = {"traceparent": job.traceparent, "tracestate": job.tracestate, "request_id": job.request_id}
        with tracing.of_job(job.pk, job.attempt, **asked_by):
            claimed(job)
            _make(Attempt(job, worker), worker)
    except database.CONNECTION_ERRORS as error:  # what the row says now is unknown: see `requeue_own`
        worker.suspects_outage = True
        log.exception("database_away", error=type(error).__name__)
        return False
    worker.count_job(Lane(job.lane), time.monotonic() - began)
    return True


def requeue_own(worker: Worker) -> int:
    """Queue again what bears this worker's name although it works on nothing; how many jobs. Called between jobs.

    So it is when the database went away in the middle of a job. That attempt is spent, as when a lease runs out: a job
    that brings this about again and again comes to an end. Raises one of database.CONNECTION_ERRORS.
    """
    own = Job.objects.filter(state=JobState.PROCESSING, worker=worker.id)
    count = sum(_requeue(job) for job in own.only("id", "attempt", "max_attempts", "worker", "lane", "original"))
    if count:
        log.warning("jobs_requeued", jobs=count)
        dispatch.top_up()
    return count


def _may_go_on(lane: Lane, worker: Worker, until: float, bulk_waits: bool) -> bool:
    """Whether the wake-up goes on. An upload never waits for more of another lane than for one job."""
    if time.monotonic() >= until or lane is Lane.HEAVY or worker.heavy_is_next:
        return False
    if bulk_waits and worker.bulk_is_next:
        return False
    return lane is Lane.INTERACTIVE or not selectors.due(Lane.INTERACTIVE).exists()


def _drive_runs(worker: Worker) -> None:
    """Have the runs that these jobs are of go on at once. Raises nothing but queue.JobTimeout."""
    try:
        driving.drive_all(worker.id)
    except queue.JobTimeout:
        raise
    except database.CONNECTION_ERRORS as error:
        database.discard_connection(error)


def _requeue(job: Job) -> bool:
    still = Lease(job.pk, job.worker, job.attempt).holds
    data = {"lane": job.lane, "reason": "outcome_unknown"}
    return failures.requeue_or_fail(job, still, "handed_back", actor=job.worker, data=data)


def _make(attempt: Attempt, worker: Worker) -> None:
    """Raises one of database.CONNECTION_ERRORS when the outcome could not be written, and queue.JobTimeout."""
    try:
        _try(attempt, worker)
    finally:
        attempt.discard_staged()


def _try(attempt: Attempt, worker: Worker) -> None:
    job = attempt.job
    try:
        attempt.run()
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
        _close(attempt, worker, DecoderTimeout(limit_s=attempt.limit_s))
    except MediaError as error:
        _close(attempt, worker, error)
    except database.CONNECTION_ERRORS:
        raise
    except Exception as error:  # a bug of ours must end the job, not the worker
        log.exception("job_crashed", job=str(job.pk), attempt=job.attempt)
        _close(attempt, worker, Unexpected(), bug=error)


def _close(attempt: Attempt, worker: Worker, error: MediaError, bug: Exception | None = None) -> None:
    if error.blame is Blame.SERVER:
        worker.suspects_outage = True
    database.retry_on_disconnect(
        lambda: failures.close_attempt(
            attempt.lease, attempt.job, error, reached=attempt.heartbeat.reached, usage=attempt.usage, bug=bug
        ),
        for_s=_STOPPING_RETRY_S if worker.stopping else database.RETRY_FOR_S,
    )


def _hand_back(attempt: Attempt) -> None:
    lane = Lane(attempt.job.lane)
    handed = database.retry_on_disconnect(lambda: failures.hand_back(attempt.lease, lane), for_s=_STOPPING_RETRY_S)
    log.info("job_handed_back", job=str(attempt.job.pk), attempt=attempt.job.attempt, lease_held=handed)
