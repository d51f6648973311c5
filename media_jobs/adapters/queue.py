"""The doorbell: RQ through django-rq. An RQ job carries one job id, and may be lost or delivered twice."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from uuid import UUID

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import RedisError, WatchError
from redis.retry import Retry
from rq import Queue
from rq.timeouts import JobTimeoutException

from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

#: Raised by RQ's alarm in the middle of whatever the worker does; a plain Exception, so it must be named.
JobTimeout = JobTimeoutException

#: What decides who is before whom: the turn of a job, then its id.
Place = tuple[int, UUID]

_TASK = "media_jobs.tasks.process_job"
#: After so many seconds a waiting job that RQ no longer holds is taken for lost.
RING_AGAIN_S = 30
#: An upload waits so long, twice, for a Redis that takes connections and does not answer.
_PATIENCE_S = 2.0


class ListChanged(Exception):
    """Somebody else changed the list meanwhile; nothing was done."""


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
    except WatchError as error:
        raise ListChanged from error
    except RedisError as error:
        raise QueueUnavailable from error


def waiting(lane: Lane) -> list[UUID]:
    """The jobs that RQ's list holds, the next one first. Raises QueueUnavailable."""
    with _clear_errors():
        return [_job_id(rq_id) for rq_id in _queue(lane).get_job_ids()]


def announce(lane: Lane, calls: Mapping[UUID, int], places: Mapping[UUID, Place], *, at_most: int) -> set[UUID]:
    """Put jobs into RQ's list, in their places, until it holds `at_most`; returns those that were passed over.

    calls: the jobs, each with a number that is another one whenever it waits anew. places: theirs, and of all that
    the list held when it was read; the lowest is taken first. Passed over is whom somebody announced lately: a mark
    bridges the moment in which a worker has taken an id from the list and not yet claimed the row.

    List, marks and RQ's own records change in one step, and only if the list is still what was looked at: it never
    grows longer, holds nobody twice, and who dies on the way leaves nothing half done. Raises ListChanged, where
    there may be room no more or somebody of unknown place, and QueueUnavailable.
    """
    queue = _queue(lane)
    with _clear_errors(), queue.connection.pipeline() as together:
        together.watch(queue.key)
        listed = [rq_id.decode() for rq_id in together.lrange(queue.key, 0, -1)]
        held = [_job_id(rq_id) for rq_id in listed]
        if not places.keys() >= set(held) or not calls.keys().isdisjoint(held):
            raise ListChanged
        rq_ids = {job_id: f"{job_id}-{number}" for job_id, number in calls.items()}
        marks = together.mget([_mark(rq_id) for rq_id in rq_ids.values()])
        passed_over = {job_id for job_id, mark in zip(rq_ids, marks, strict=True) if mark}
        chosen = sorted(rq_ids.keys() - passed_over, key=places.__getitem__)
        if len(held) + len(chosen) > at_most:
            raise ListChanged
        if chosen:
            together.multi()
            for job_id in chosen:
                _ring(queue, job_id, rq_ids[job_id], together)
            _in_order(queue, listed + [rq_ids[job_id] for job_id in chosen], places, together)
            together.execute()
    return passed_over


def ring(lane: Lane, job_id: UUID, number: int) -> None:
    """Deliver one job, whatever the list holds and whoever has announced it before. Raises QueueUnavailable."""
    queue = _queue(lane)
    with _clear_errors(), queue.connection.pipeline() as together:
        _ring(queue, job_id, f"{job_id}-{number}", together)
        together.execute()


def _ring(queue: Queue, job_id: UUID, rq_id: str, pipeline: Pipeline) -> None:
    queue.enqueue_call(_TASK, args=(str(job_id),), job_id=rq_id, result_ttl=0, failure_ttl=86_400, pipeline=pipeline)
    pipeline.set(_mark(rq_id), 1, ex=RING_AGAIN_S)


def _in_order(queue: Queue, listed: list[str], places: Mapping[UUID, Place], pipeline: Pipeline) -> None:
    """RQ adds at either end only; whoever belongs in between gets there by writing the list anew."""
    in_order = sorted(listed, key=lambda rq_id: places[_job_id(rq_id)])
    if in_order != listed:
        pipeline.delete(queue.key)
        pipeline.rpush(queue.key, *in_order)


def _job_id(rq_id: str) -> UUID:
    """Of what `_ring` has put there; nobody else has business with these lists."""
    return UUID(rq_id.rpartition("-")[0])


def _mark(rq_id: str) -> str:
    return f"gallimg:rung:{rq_id}"


def ping() -> None:
    """Raises QueueUnavailable unless the server answers."""
    with _clear_errors():
        _queue(Lane.INTERACTIVE).connection.ping()
