"""One of the places of a worker process where jobs are done: a thread that mostly waits for its decoder."""

import logging
import threading
from functools import partial

import structlog
from django.db import connections

from media_jobs.adapters import database, queue
from media_jobs.runtime.workers.loop import WorkerLoop
from media_jobs.runtime.workers.rq_worker import ResilientWorker
from media_jobs.services.cutover import working as shadows
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.metrics import presence

log = structlog.get_logger(__name__)


class Slot(threading.Thread):
    """A worker of its own, with its RQ worker, its decoder and its connections. It ends when told to, or by a bug.

    suspects_outage: it looks whether all is there before it takes its first job.
    """

    def __init__(self, number: int, *, suspects_outage: bool = False) -> None:
        super().__init__(name=f"slot{number}", daemon=True)
        self.number, self.worker = number, Worker()
        self.worker.suspects_outage = suspects_outage
        self._rq_worker: ResilientWorker | None = None
        self._stopping = False

    def stop(self) -> None:
        """End what it waits for. To be called until it has ended; what it does until then is said by `worker.stop`."""
        self._stopping = True
        if self._rq_worker:
            self._rq_worker.stop()

    def run(self) -> None:
        workers.replace_current(self.worker)
        try:
            self._work()
        except Exception:
            log.exception("slot_failed", slot=self.number, worker=self.worker.id)
        finally:
            self._leave()

    def _work(self) -> None:
        loop = WorkerLoop(
            self.worker,
            repair=partial(presence.report_restarts, self.worker),
            background=partial(shadows.work_between_jobs, self.worker),
        )
        queues = queue.worker_queues()
        self._rq_worker = ResilientWorker(
            queues,
            next_queues=lambda: [queue.name_of(lane) for lane in self.worker.next_lanes()],
            between_jobs=loop.between_jobs,
            without_queue=loop.without_queue,
            connection=queues[0].connection,
            serializer=queues[0].serializer,
            name=self.worker.id,
        )
        if self._stopping:  # it was not there to be told
            self._rq_worker.stop()
        self._rq_worker.work(logging_level=logging.getLogger("rq").getEffectiveLevel())

    def _leave(self) -> None:
        try:
            presence.report_restarts(self.worker)
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
        workers.replace_current(None)
        connections.close_all()
