"""Whether database, queue and storage answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from media_jobs.adapters import queue
from media_jobs.adapters.nats import probe as nats_probe
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import MediaError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """needed: the service does not work without it. off: it is not configured, and was not asked."""

    name: str
    ok: bool
    ms: float
    error: str | None
    needed: bool = True
    off: bool = False


def check() -> list[Check]:
    """Ask database, queue and storage, each once."""
    return [
        _timed("database", _ask_database),
        _timed("queue", queue.ping),
        _timed("storage", lambda: store(Role.WEB).check()),
    ]


def check_all() -> list[Check]:
    """Ask NATS, too, which the service can do without."""
    return [*check(), _check_nats()]


def _check_nats() -> Check:
    if not settings.NATS_URI:
        return Check("nats", True, 0, None, needed=False, off=True)
    return replace(_timed("nats", lambda: nats_probe.ping(settings.NATS_URI)), needed=False)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _timed(name: str, ask: Callable[[], None]) -> Check:
    started = time.perf_counter()
    error = None
    try:
        ask()
    except (MediaError, DatabaseError) as problem:
        log.warning("not_ready", part=name, error=str(problem))
        # A database's own message may hold addresses and user names.
        error = str(problem) if isinstance(problem, MediaError) else "The database does not answer."
    return Check(name, error is None, round((time.perf_counter() - started) * 1000, 2), error)
