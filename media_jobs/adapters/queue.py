"""Wake-ups of workers: RQ, through django-rq.

An RQ job is a wake-up of a lane. It names no job of ours: the worker that answers it takes the lane's next one from the
table. So a wake-up may be lost, delivered twice, or come when there is nothing left to do.

The names of queues carry that of the database: of several services on one Redis, each wakes its own workers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, WatchError
from redis.retry import Retry
from rq import Queue, get_current_job
from rq import Worker as RqWorker
from rq.timeouts import JobTimeoutException

from media_jobs.adapters import database
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

#: Raised by RQ's alarm in the middle of whatever the worker does; a plain Exception, so it must be named.
JobTimeout = JobTimeoutException

_TASK = "media_jobs.tasks.process_lane"
_REMOVAL = "media_jobs.tasks.remove_deleted_images"
#: An upload waits so long, twice, for a Redis that takes connections and does not answer.
_TIMEOUT_S = 2.0
#: A list is looked at again when others change it at the same moment. Who changes it wakes a worker as well.
_TRIES = 10


@cache
def _queue(lane: Lane) -> Queue:
    """One queue object per process and lane."""
    return _of(lane, _connection())


@cache
def _connection() -> Redis:
    """One pool per process. It is our own: django-rq passes no time limits on to Redis where it is given a URL."""
    limits = {"socket_connect_timeout": _TIMEOUT_S, "socket_timeout": _TIMEOUT_S}
    return Redis.from_url(_url(), retry=Retry(NoBackoff(), 1), **limits)


def _of(lane: Lane, connection: Redis) -> Queue:
    return django_rq.get_queue(lane.value, connection=connection, queue_class=_named)


def _named(lane: str, *, autocommit: None, commit_mode: None, **options: Any) -> Queue:
    """RQ's own queue, not django-rq's, which finds its settings by the name in Redis: that one is not in the settings.

    It adds at once; the row is committed before (see media_jobs.services.jobs.dispatch).
    """
    return Queue(name_of(Lane(lane)), **options)


def _url() -> str:
    return str(settings.RQ_QUEUES[Lane.INTERACTIVE.value]["URL"])


def name_of(lane: Lane) -> str:
    """The name that RQ knows the lane by. Raises one of database.CONNECTION_ERRORS, when first asked."""
    return f"{lane}-{database.short_name()}"


def forget() -> None:
    """As in a new process."""
    _queue.cache_clear()
    _connection.cache_clear()
    database.short_name.cache_clear()


class WaitingClient(Redis):
    """A worker's own client, whose wait for a wake-up another thread can end."""

    _waiting: Redis | None = None
    _interrupted = False

    def blpop(self, keys: Any, timeout: Any = 0) -> Any:
        """Do as Redis does. Once interrupted, say that nothing came: at once, and ever after."""
        if self._interrupted:
            return None
        try:
            if self._waiting is None:  # with a connection on which nothing else is asked
                self._waiting = Redis(connection_pool=self.connection_pool, single_connection_client=True)
            return self._waiting.blpop(keys, timeout)
        except Exception:  # whatever a closed socket brings about
            if self._interrupted:
                return None
            raise

    def interrupt(self) -> None:
        """End the wait. Whoever may just have been about to begin it is met the next time: call it again."""
        self._interrupted = True
        if self._waiting and self._waiting.connection:
            self._waiting.connection.disconnect()  # type: ignore[no-untyped-call]


def worker_queues() -> list[Queue]:
    """The queues of all lanes over a WaitingClient of a worker's own."""
    # Who waits for a wake-up waits longer than others; a second try would be too long with a frozen server.
    connection = WaitingClient.from_url(_url(), retry=Retry(NoBackoff(), 0), socket_connect_timeout=_TIMEOUT_S)
    return [_of(lane, connection) for lane in Lane]


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise QueueUnavailable from error


def lengths() -> dict[Lane, int]:
    """How many wake-ups wait in each lane. One call. Raises QueueUnavailable."""
    queues = {lane: _queue(lane) for lane in Lane}
    with _translated_errors(), queues[Lane.INTERACTIVE].connection.pipeline(transaction=False) as pipeline:
        for queue in queues.values():
            pipeline.llen(queue.key)
        return dict(zip(queues, pipeline.execute(), strict=True))


def enqueue_wakeups(lane: Lane, count: int, *, at_most: int) -> int:
    """Add up to `count` wake-ups, as long as there are no more than `at_most` in the list; how many were added.

    The list never grows longer, with any number of processes that do this at once. Raises QueueUnavailable.
    """
    queue = _queue(lane)
    for _ in range(_TRIES):
        with _translated_errors(), queue.connection.pipeline() as pipeline:
            pipeline.watch(queue.key)
            missing = min(count, at_most - int(pipeline.llen(queue.key)))
            if missing <= 0:
                return 0
            pipeline.multi()
            for _ in range(missing):
                queue.enqueue_call(
                    _TASK,
                    args=(lane.value,),
                    job_id=f"{lane}-{uuid4().hex}",
                    description=f"wake-up of the lane {lane}",
                    result_ttl=0,
                    failure_ttl=86_400,
                    pipeline=pipeline,
                )
            try:
                pipeline.execute()
            except WatchError:
                continue
            return missing
    return 0


def enqueue_removal() -> None:
    """Have a worker look for files of deleted images. May be lost, as a wake-up may. Raises QueueUnavailable."""
    queue = _queue(Lane.INTERACTIVE)
    with _translated_errors():
        queue.enqueue_call(
            _REMOVAL,
            job_id=f"removal-{uuid4().hex}",
            description="removal of deleted images",
            result_ttl=0,
            failure_ttl=86_400,
        )


def drop_wakeup(lane: Lane) -> None:
    """Remove one wake-up, if there is any: its job is being done already. Raises QueueUnavailable."""
    queue = _queue(lane)
    with _translated_errors():
        if rq_id := queue.connection.lpop(queue.key):  # RQ's own pop_job_id raises ValueError where there is none
            queue.connection.delete(queue.job_class.key_for(rq_id.decode()))


def describe_current_job(job_id: UUID, attempt: int, *, traceparent: str = "") -> None:
    """Have RQ's own tools say which job, of which trace, the wake-up in hand has come to. Raises QueueUnavailable."""
    wakeup = get_current_job()
    if wakeup is None:  # called without RQ
        return
    wakeup.description = f"job {job_id}, attempt {attempt}"
    wakeup.meta["job"] = str(job_id)
    if traceparent:
        wakeup.meta["traceparent"] = traceparent
    shown = {"description": wakeup.description, "meta": wakeup.serializer.dumps(wakeup.meta)}
    with _translated_errors():
        _queue(Lane.INTERACTIVE).connection.hset(wakeup.key, mapping=shown)


def workers() -> list[tuple[str, str, datetime | None]]:
    """Name, state and last heartbeat of each worker that RQ knows. Raises QueueUnavailable."""
    with _translated_errors():
        names = {name_of(lane) for lane in Lane}
        known = RqWorker.all(connection=_connection())
        ours = [worker for worker in known if names & set(worker.queue_names())]
        return sorted((worker.name, str(worker.get_state()), _utc(worker.last_heartbeat)) for worker in ours)


def _utc(at: datetime | None) -> datetime | None:
    """RQ writes UTC, and reads it without saying so."""
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def ping() -> None:
    """Raises QueueUnavailable unless the server answers."""
    with _translated_errors():
        _connection().ping()
