"""Whether database, queue and storage answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from media_jobs.adapters import queue
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import MediaError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    ms: float
    error: str | None


def check() -> list[Check]:
    """Ask database, queue and storage, each once."""
    return [
        _timed("database", _ask_database),
        _timed("queue", queue.ping),
        _timed("storage", lambda: store(Role.WEB).check()),
    ]


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
