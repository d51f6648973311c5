"""RQ's in-process worker, made to survive a Redis that stops, restarts or forgets."""

import random
import time
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job

log = structlog.get_logger(__name__)

_IDLE_TICK_S = 5
_RECONNECT_S = 5


class ResilientWorker(SimpleWorker):  # type: ignore[misc]
    """Works until it is asked to stop.

    on_tick: called between jobs, and about every five seconds when idle; its errors are logged.
    """

    max_connection_wait_time = _RECONNECT_S

    def __init__(self, queues: list[Queue], *, on_tick: Callable[[], None], **kwargs: object) -> None:
        super().__init__(queues, **kwargs)
        self._on_tick = on_tick
        self._stopping = False

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
        self._stopping = True
        super().request_stop(signum, frame)

    def _shutdown(self) -> None:
        try:
            super()._shutdown()
        except RedisError:
            self._stop_requested = True  # told to stop while the server is away: after the job in hand

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
            self._on_tick()
        except Exception:  # whatever goes wrong in upkeep, jobs go on
            log.exception("tick_failed", worker=self.name)
