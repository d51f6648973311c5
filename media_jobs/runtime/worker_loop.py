"""One RQ worker in this process: what `manage.py worker` and the supervisor's forked workers run."""

import logging
import time
from functools import partial

import django_rq
import structlog

from media_jobs.adapters import database
from media_jobs.adapters.decoder.sandbox import harden_worker
from media_jobs.runtime.rq_worker import ResilientWorker
from media_jobs.services import housekeeping
from media_jobs.services.jobs import dispatch, outage, processing
from media_jobs.services.jobs.heartbeat import LeaseHeartbeat
from media_jobs.services.jobs.worker import duty
from media_jobs.states import Lane

log = structlog.get_logger(__name__)

#: So often a worker that waits for storage, disk or database looks whether they are back.
LOOK_EVERY_S = 5.0
_SLICE_S = 0.5


def between_jobs(schedule: housekeeping.TaskSchedule) -> None:
    """Repair what is due, and return when there is nothing that would make the next job fail, or when told to stop.

    An attempt that failed because the storage was away is no reason to fail the next hundred in the same way.
    """
    _upkeep(schedule)
    if duty.wary:
        _wait_for_better_times(schedule)


def run_worker() -> None:
    """Work until SIGTERM or SIGINT. The job in hand is finished within 20 s, or handed back to be done by another."""
    harden_worker()
    housekeeping.sweep_workspaces()
    schedule = housekeeping.TaskSchedule(notify=dispatch.wake)
    LeaseHeartbeat.run_urgent_tasks = staticmethod(schedule.run_urgent_tasks)
    queues = [django_rq.get_queue(lane.value) for lane in Lane]
    worker = ResilientWorker(
        queues,
        on_tick=partial(between_jobs, schedule),
        on_stop=duty.stop,
        connection=queues[0].connection,
        serializer=queues[0].serializer,
        name=processing.worker_id(),
    )
    try:
        worker.work(logging_level=logging.getLogger("rq").getEffectiveLevel())
    finally:
        processing.close()


def _upkeep(schedule: housekeeping.TaskSchedule) -> None:
    try:
        processing.put_back()
        schedule.run_due_tasks()
    except database.CONNECTION_ERRORS as error:
        database.discard_connection(error)
        duty.wary = True


def _wait_for_better_times(schedule: housekeeping.TaskSchedule) -> None:
    reason = known = ""
    while not duty.stopping and (reason := outage.reason()):
        if reason != known:
            log.warning("paused", reason=reason)
            known = reason
        _sleep(LOOK_EVERY_S)
        _upkeep(schedule)
    duty.wary = bool(reason)
    if known and not reason:
        log.info("resumed", after=known)


def _sleep(seconds: float) -> None:
    """Or shorter, when told to stop."""
    until = time.monotonic() + seconds
    while not duty.stopping and (left_s := until - time.monotonic()) > 0:
        time.sleep(min(left_s, _SLICE_S))
