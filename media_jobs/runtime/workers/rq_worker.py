"""RQ's in-process worker, made to survive a Redis that stops, restarts or forgets, and to be one of several threads.

Overrides internals of RQ 3.0's SimpleWorker: pyproject.toml bounds the version.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.timeouts import TimerDeathPenalty

from media_jobs.adapters.queue import WaitingClient

log = structlog.get_logger(__name__)

_IDLE_WAIT_S = 5
_RECONNECT_S = 1


class _Deadline(TimerDeathPenalty):  # type: ignore[misc]
    """RQ's limit for threads. The end of the process does not wait for it."""

    def new_timer(self) -> threading.Timer:
        timer: threading.Timer = super().new_timer()
        timer.daemon = True
        return timer


class ResilientWorker(SimpleWorker):  # type: ignore[misc]
    """Works until it is asked to stop, in any thread.

    next_queues: asked after each job for the names of the queues, in the order in which to look for the next one.
    between_jobs: called before each look, and about every five seconds when idle; its errors are logged.
    without_queue: called while Redis does not answer; may work, and comes back now and then.
    """

    connection: WaitingClient
    death_penalty_class = _Deadline
    max_connection_wait_time = _RECONNECT_S

    def __init__(
        self,
        queues: list[Queue],
        *,
        next_queues: Callable[[], Sequence[str]],
        between_jobs: Callable[[], None],
        without_queue: Callable[[], None] = lambda: None,
        **kwargs: object,
    ) -> None:
        super().__init__(queues, **kwargs)
        self._next_queues, self._between_jobs, self._without_queue = next_queues, between_jobs, without_queue
        self._stopping = False

    def _set_ip_address(self, connection: Redis) -> None:
        """Do as RQ does, but start also while the server is away."""
        try:
            super()._set_ip_address(connection)
        except RedisError:
            self.ip_address = "unknown"

    @property
    def dequeue_timeout(self) -> int:
        return _IDLE_WAIT_S

    @property
    def connection_timeout(self) -> int:
        """RQ's own adds ten seconds, for which nothing would be done while a frozen server is waited for."""
        return _IDLE_WAIT_S + 2

    def work(self, *args: object, **kwargs: object) -> bool:
        """Do as RQ does, but a lost connection starts the loop again instead of ending it."""
        worked = False
        with suppress(StopRequested):
            while not self._stopping:
                try:
                    worked = super().work(*args, **kwargs) or worked
                except RedisError as error:
                    log.warning("queue_lost", worker=self.name, error=str(error))
                    self._work_without_queue()
                if not self._stopping:
                    time.sleep(_RECONNECT_S * random.random())  # noqa: S311  (spreads the workers, no secret)
        return worked

    def stop(self) -> None:
        """Have `work` return, after the job in hand. For another thread, which calls it until that has happened."""
        self._stopping = self._stop_requested = True
        self.connection.interrupt()

    def _install_signal_handlers(self) -> None:
        """Signals are for the main thread, which tells all that must know."""

    def register_birth(self) -> None:
        # A loop that starts again finds its own former self.
        self.connection.delete(self.key)
        super().register_birth()

    def heartbeat(self, timeout: int | None = None, pipeline: object = None) -> None:
        """Do as RQ does. Without a pipeline this comes before each look for a job: the server may be away, or new."""
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        try:
            if self.birth_date and not self.connection.hexists(self.key, "birth"):
                super().register_birth()  # the server was emptied
            super().heartbeat(timeout)
        except RedisError:
            self._work_without_queue()
            raise

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """RQ asks each time before it waits for a job, and never with a job in hand."""
        return True

    def run_maintenance_tasks(self) -> None:
        if super().should_run_maintenance_tasks:
            super().run_maintenance_tasks()
        self._run_between_jobs()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """The outcome of what was done is in the database by then, so that RQ's bookkeeping may fail."""
        try:
            super().execute_job(job, queue)
        except RedisError as error:
            log.warning("queue_lost_after_job", worker=self.name, rq_job=job.id, error=str(error))
        order = list(self._next_queues())
        self._ordered_queues = sorted(self.queues, key=lambda queue: order.index(queue.name))

    def teardown(self) -> None:
        try:
            super().teardown()
        except RedisError as error:
            log.warning("queue_lost_at_end", worker=self.name, error=str(error))

    def _run_between_jobs(self) -> None:
        try:
            if not self._stopping:
                self._between_jobs()
        except Exception:  # whatever goes wrong in between, jobs go on
            log.exception("between_jobs_failed", worker=self.name)
        if self._stopping:
            raise StopRequested

    def _work_without_queue(self) -> None:
        self._run_between_jobs()
        try:
            self._without_queue()
        except Exception:
            log.exception("work_without_queue_failed", worker=self.name)
        if self._stopping:
            raise StopRequested
