"""The doorbell: RQ through django-rq. An RQ job carries one job id, and may be lost or delivered twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import UUID

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.timeouts import JobTimeoutException

from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

#: Raised by RQ's alarm in the middle of whatever the worker does; a plain Exception, so it must be named.
JobTimeout = JobTimeoutException

_TASK = "media_jobs.tasks.process_job"
#: After so many seconds a waiting job that RQ no longer holds is taken for lost.
RING_AGAIN_S = 30
#: An upload waits so long, twice, for a Redis that takes connections and does not answer.
_PATIENCE_S = 2.0


@cache
def _queue(lane: Lane) -> Queue:
    """One queue object, and with it one connection pool, per process and lane.

    The connection is our own: django-rq passes no time limits on to Redis where it is given a URL.
    """
    url = str(settings.RQ_QUEUES[lane.value]["URL"])
    limits = {"socket_connect_timeout": _PATIENCE_S, "socket_timeout": _PATIENCE_S}
    return django_rq.get_queue(lane.value, connection=Redis.from_url(url, retry=Retry(NoBackoff(), 1), **limits))


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

    A mark bridges the moment in which a worker has taken the id from RQ's list and not yet claimed the row. It is
    set in one step with the announcement: a caller that dies in between must not leave the mark alone.
    """
    rq_id = f"{job_id}-{attempt}"
    mark = f"gallimg:rung:{rq_id}"
    queue = _queue(lane)
    with _clear_errors():
        if queue.connection.exists(mark):
            return False
        with queue.connection.pipeline() as together:
            queue.enqueue_call(
                _TASK, args=(str(job_id),), job_id=rq_id, result_ttl=0, failure_ttl=86_400, pipeline=together
            )
            together.set(mark, 1, ex=RING_AGAIN_S)
            together.execute()
    return True


def ping() -> None:
    """Raises QueueUnavailable unless the server answers."""
    with _clear_errors():
        _queue(Lane.INTERACTIVE).connection.ping()
