"""The doorbell: RQ through django-rq. An RQ job carries one job id, and may be lost or delivered twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import UUID

import django_rq
from redis.exceptions import RedisError
from rq import Queue
from rq.timeouts import JobTimeoutException

from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

#: Raised by RQ's alarm in the middle of whatever the worker does; a plain Exception, so it must be named.
JobTimeout = JobTimeoutException

_TASK = "media_jobs.tasks.process_job"
#: After so many seconds a waiting job that RQ no longer holds is taken for lost.
RING_AGAIN_S = 30


@cache
def _queue(lane: Lane) -> Queue:
    """One queue object, and with it one connection pool, per process and lane."""
    return django_rq.get_queue(lane.value)


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise QueueUnavailable from error


def waiting(lane: Lane) -> list[UUID]:
    """The jobs that RQ's list holds, oldest first. Raises QueueUnavailable."""
    with _clear_errors():
        return [UUID(rq_id.rpartition("-")[0]) for rq_id in _queue(lane).get_job_ids()]


def ring(lane: Lane, job_id: UUID, *, attempt: int) -> bool:
    """Tell the workers of `lane` that a job waits. False when somebody did so lately. Raises QueueUnavailable.

    The mark bridges the moment in which a worker has taken the id from RQ's list and not yet claimed the row.
    """
    rq_id = f"{job_id}-{attempt}"
    with _clear_errors():
        queue = _queue(lane)
        if not queue.connection.set(f"gallimg:rung:{rq_id}", 1, nx=True, ex=RING_AGAIN_S):
            return False
        queue.enqueue_call(_TASK, args=(str(job_id),), job_id=rq_id, result_ttl=0, failure_ttl=86_400)
    return True


def ping() -> None:
    """Raises QueueUnavailable unless the server answers."""
    with _clear_errors():
        _queue(Lane.INTERACTIVE).connection.ping()
