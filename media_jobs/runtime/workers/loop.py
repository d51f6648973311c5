"""One RQ worker in this process: what `manage.py worker` and the supervisor's forked workers run."""

import logging
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections
from rq import Queue

from media_jobs.adapters import database, queue
from media_jobs.adapters.decoder.sandbox import harden_worker
from media_jobs.errors import WorkspaceUnavailable
from media_jobs.runtime.metrics_server import serve_own
from media_jobs.runtime.webhook_sender import WebhookSender
from media_jobs.runtime.workers.rq_worker import ResilientWorker
from media_jobs.services import housekeeping, previews
from media_jobs.services.bulk import driving as bulk
from media_jobs.services.cutover import working as shadows
from media_jobs.services.housekeeping import TaskSchedule
from media_jobs.services.jobs import dispatch, outage, processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.metrics import presence
from media_jobs.services.runs import driving

log = structlog.get_logger(__name__)

#: So often a worker that waits for storage, disk or database looks whether they are back.
LOOK_EVERY_S = 5.0
#: So long a worker works without Redis before it looks for it again.
_WITHOUT_QUEUE_S = 5.0
_SLICE_S = 0.5


class WorkerLoop:
    """What a worker does beside its jobs. beside: what it does where nothing is more urgent."""

    def __init__(
        self, worker: Worker, schedule: TaskSchedule, *, beside: Callable[[Worker], object] = lambda worker: None
    ) -> None:
        self.worker, self._schedule, self._beside = worker, schedule, beside

    def between_jobs(self) -> None:
        """Repair what is due, and return when nothing would make the next job fail, or when told to stop.

        An attempt that failed because the storage was away is no reason to fail the next hundred in the same way.
        """
        self.worker.end_idle_decoder()
        self._run_due_tasks()
        if self.worker.suspects_outage:
            self._wait_until_outage_is_over()

    def without_queue(self) -> None:
        """Work from the table for a few seconds, without Redis."""
        close_old_connections()
        processing.process_without_queue(self.worker, for_s=_WITHOUT_QUEUE_S)

    def _run_due_tasks(self) -> None:
        try:
            processing.requeue_own(self.worker)
            self._schedule.run_due_tasks()
            previews.make_waiting(self.worker)
            self._beside(self.worker)
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
            self.worker.suspects_outage = True

    def _wait_until_outage_is_over(self) -> None:
        reason = known = ""
        while not self.worker.stopping and (reason := outage.reason(self.worker)):
            if reason != known:
                log.warning("paused", reason=reason)
                known = reason
            self._sleep(LOOK_EVERY_S)
            self._run_due_tasks()
        self.worker.suspects_outage = bool(reason)
        if known and not reason:
            log.info("resumed", after=known)

    def _sleep(self, seconds: float) -> None:
        """Sleep, or shorter when told to stop."""
        until = time.monotonic() + seconds
        while not self.worker.stopping and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _SLICE_S))


def run_worker(*, metrics_port: int = 0) -> None:
    """Work until SIGTERM or SIGINT. The job in hand is finished within 20 s, or handed back to be done by another.

    metrics_port: where it tells of its process; 0: nowhere.
    """
    harden_worker()
    schedule = TaskSchedule(notify=dispatch.top_up, drive_runs=_drive_all, report=lambda: presence.report(worker))
    worker = Worker(run_urgent_tasks=schedule.run_urgent_tasks)
    workers.replace_current(worker)
    try:
        housekeeping.sweep_workspaces()
    except WorkspaceUnavailable:
        worker.suspects_outage = True
    loop = WorkerLoop(worker, schedule, beside=shadows.work_between_jobs)
    queues = _queues_once_the_database_answers()
    rq_worker = ResilientWorker(
        queues,
        next_queues=lambda: [queue.name_of(lane) for lane in worker.next_lanes()],
        between_jobs=loop.between_jobs,
        without_queue=loop.without_queue,
        on_stop=worker.stop,
        connection=queues[0].connection,
        serializer=queues[0].serializer,
        name=worker.id,
    )
    sender = WebhookSender(lambda: worker.stopping)
    sender.start()
    relay = _nats_relay(worker)
    telling = serve_own(worker, metrics_port) if metrics_port else None
    try:
        rq_worker.work(logging_level=logging.getLogger("rq").getEffectiveLevel())
    finally:
        presence.leave(worker)
        if telling:
            telling.stop()
        sender.stop()
        if relay:
            relay.stop()
        workers.replace_current(None)


def _drive_all() -> None:
    """Give what is done to many pictures its turn."""
    driving.drive_all(driving.name())
    bulk.drive_all(bulk.name())


def _queues_once_the_database_answers() -> list[Queue]:
    """Their names are known only then. A signal ends the wait, and the process."""
    while True:
        try:
            return queue.worker_queues()
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
            log.warning("paused", reason="database_unavailable")
            time.sleep(LOOK_EVERY_S)


def _nats_relay(worker: Worker) -> Any:
    """Start publishing to NATS, where there is one."""
    if not settings.NATS_URI:
        return None
    from media_jobs.runtime.nats_relay import NatsRelay  # noqa: PLC0415  (a client that few need)

    relay = NatsRelay(settings.NATS_URI, worker.id, lambda: worker.stopping)
    relay.start()
    return relay
