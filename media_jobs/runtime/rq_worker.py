"""RQ's in-process worker, made to survive a Redis that stops, restarts or forgets."""

import random
import time
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.worker import WorkerStatus

from media_jobs.states import Lane

log = structlog.get_logger(__name__)

_IDLE_TICK_S = 5
_RECONNECT_S = 5
#: A worker looks into the heavy lane first each time that it looks for its eighth job: uploads without end must not
#: keep somebody's large picture waiting for ever.
HEAVY_EVERY = 8


class ResilientWorker(SimpleWorker):  # type: ignore[misc]
    """Works until it is asked to stop. Takes from its queues in the order given, but see HEAVY_EVERY.

    on_tick: called between jobs, and about every five seconds when idle; its errors are logged.
    on_stop: called once when a stop is first asked for, within the signal's handler: it must not wait for anything.
    """

    max_connection_wait_time = _RECONNECT_S

    def __init__(
        self,
        queues: list[Queue],
        *,
        on_tick: Callable[[], None],
        on_stop: Callable[[], None] | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(queues, **kwargs)
        self._on_tick = on_tick
        self._on_stop = on_stop
        self._stopping = False
        self._taken = 0

    @property
    def dequeue_timeout(self) -> int:
        return _IDLE_TICK_S

    def work(self, *args: object, **kwargs: object) -> bool:
        """As RQ's, but a lost connection starts the loop again instead of ending it."""
        worked = False
        while not self._stopping:
            try:
                worked = super().work(*args, **kwargs) or worked
            except RedisError as error:
                log.warning("queue_lost", worker=self.name, error=str(error))
            except StopRequested:
                break
            if not self._stopping:
                time.sleep(_RECONNECT_S * random.random())  # noqa: S311  (spreads the workers, no secret)
        return worked

    def request_stop(self, signum: int, frame: object) -> None:
        first, self._stopping = not self._stopping, True
        try:
            if first and self._on_stop:
                self._on_stop()
        finally:
            super().request_stop(signum, frame)

    def _shutdown(self) -> None:
        """As RQ's, but the server is not told: it may be away, or in the middle of answering what was interrupted."""
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        self._stop_requested = True

    def reorder_queues(self, reference_queue: Queue) -> None:
        """RQ calls it with each job that it took from `reference_queue`: the order in which to look for the next."""
        self._taken += 1
        self._ordered_queues = self.queues[:]
        if (self._taken + 1) % HEAVY_EVERY == 0:
            self._ordered_queues.sort(key=lambda queue: queue.name != Lane.HEAVY)

    def register_birth(self) -> None:
        # A loop that starts again finds its own former self.
        self.connection.delete(self.key)
        super().register_birth()

    def heartbeat(self, timeout: int | None = None, pipeline: object = None) -> None:
        if pipeline is None and self.birth_date and not self.connection.hexists(self.key, "birth"):
            super().register_birth()  # the server was emptied
        super().heartbeat(timeout, pipeline)

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """RQ asks each time before it waits for a job, and never with a job in hand."""
        return True

    def run_maintenance_tasks(self) -> None:
        if super().should_run_maintenance_tasks:
            super().run_maintenance_tasks()
        self._tick()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """The job's outcome is in the database by then, so that RQ's bookkeeping may fail."""
        try:
            super().execute_job(job, queue)
        except RedisError as error:
            log.warning("queue_lost_after_job", worker=self.name, rq_job=job.id, error=str(error))

    def teardown(self) -> None:
        try:
            super().teardown()
        except RedisError as error:
            log.warning("queue_lost_at_end", worker=self.name, error=str(error))

    def _tick(self) -> None:
        try:
            if not self._stopping:
                self._on_tick()
        except StopRequested:
            raise
        except Exception:  # whatever goes wrong in upkeep, jobs go on
            log.exception("tick_failed", worker=self.name)
        if self._stopping:  # also where the upkeep took the interruption for an error of its own
            raise StopRequested
