"""Which workers there are: each says so again and again."""

import socket
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.db.models.functions import Now

from media_jobs.adapters import database
from media_jobs.models import Job, WorkerProcess
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.metrics import ledger
from media_jobs.states import JobState, Metric

log = structlog.get_logger(__name__)

#: How often a worker says that it lives, and after how long a silence it is taken not to.
REPORT_EVERY_S = 10
SILENT_AFTER_S = 45
#: Then its row is of no use to anybody.
_FORGOTTEN_AFTER_S = 86_400


@dataclass(frozen=True, slots=True)
class Host:
    """slots: workers that live there. busy: those of them that have a job in hand."""

    name: str
    slots: int
    busy: int


def this_host() -> str:
    return socket.gethostname()[:200]


def report(workers: Iterable[Worker]) -> None:
    """Note that these workers live. By one statement. Raises one of CONNECTION_ERRORS."""
    rows = [WorkerProcess(name=worker.id, host=this_host(), seen_at=Now()) for worker in workers]
    WorkerProcess.objects.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=["seen_at"])


def report_restarts(worker: Worker) -> None:
    """Count how often its decoder was replaced. Called by the worker itself. Raises one of CONNECTION_ERRORS."""
    restarts = {reason: count for reason, count in worker.restarts.items() if count}
    if restarts:
        ledger.add(Metric.SANDBOX_RESTARTS, restarts.items())
        worker.restarts.subtract(restarts)


def leave(workers: Iterable[Worker]) -> None:
    """Note that these workers have ended. Without a database their silence says so."""
    try:
        WorkerProcess.objects.filter(name__in=[worker.id for worker in workers]).delete()
    except database.CONNECTION_ERRORS as error:
        database.discard_connection(error)


def hosts() -> list[Host]:
    """Return the hosts that have living workers, by two statements."""
    living = dict(WorkerProcess.objects.filter(seen_at__gt=from_now(-SILENT_AFTER_S)).values_list("name", "host"))
    working = Job.objects.filter(state=JobState.PROCESSING, lease_until__gt=Now()).values_list("worker", flat=True)
    busy = Counter(living[name] for name in set(working) & living.keys())
    return [Host(name, slots, busy[name]) for name, slots in sorted(Counter(living.values()).items())]


def forget_silent() -> int:
    """Remove the rows of workers that died long ago; how many."""
    return WorkerProcess.objects.filter(seen_at__lte=from_now(-_FORGOTTEN_AFTER_S)).delete()[0]
