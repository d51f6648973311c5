"""One RQ worker in this process: what `manage.py worker` and the supervisor's forked workers run."""

import logging
import random
import time

import django_rq
from django.conf import settings
from django.db import close_old_connections

from media_jobs.adapters.rq_worker import ResilientWorker
from media_jobs.adapters.sandbox import harden_worker
from media_jobs.services import dispatch, housekeeping, processing
from media_jobs.states import Lane

#: A silent worker's job is noticed at most this long after its lease ran out.
_LEASES_EVERY_S = 10
#: Often enough to keep the lists filled.
_DISPATCH_EVERY_S = 1


class _Upkeep:
    """What workers do between jobs, so that no scheduler is needed."""

    def __init__(self) -> None:
        now = time.monotonic()
        self._dispatch_due = self._leases_due = now
        # Spread, so that workers started together do not sweep together.
        self._sweep_due = now + settings.CLEANUP_INTERVAL_S * random.uniform(0.5, 1.0)  # noqa: S311

    def __call__(self) -> None:
        close_old_connections()
        now = time.monotonic()
        if now >= self._leases_due:
            self._leases_due = now + _LEASES_EVERY_S
            housekeeping.expire_leases()
        if now >= self._sweep_due:
            self._sweep_due = now + settings.CLEANUP_INTERVAL_S
            housekeeping.run()
        if now >= self._dispatch_due:
            self._dispatch_due = now + _DISPATCH_EVERY_S
            dispatch.wake()


def run_worker() -> None:
    """Work until SIGTERM or SIGINT; a job in hand is finished first."""
    harden_worker()
    housekeeping.sweep_workspaces()
    queues = [django_rq.get_queue(lane.value) for lane in Lane]
    worker = ResilientWorker(
        queues,
        on_tick=_Upkeep(),
        connection=queues[0].connection,
        serializer=queues[0].serializer,
        name=processing.worker_id(),
    )
    try:
        worker.work(logging_level=logging.getLogger("rq").getEffectiveLevel())
    finally:
        processing.close()
