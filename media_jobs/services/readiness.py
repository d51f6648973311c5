"""Whether uploads would be accepted, and what else is not as it should be."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models.functions import Now

from media_jobs.adapters import database, queue
from media_jobs.adapters.nats import probe as nats_probe
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import MediaError
from media_jobs.models import Installation
from media_jobs.services.jobs import outage

log = structlog.get_logger(__name__)

#: Whoever asks does not wait for longer.
_DATABASE_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """One part. needed: without it no upload is accepted; without another one it is done later, or slower.

    off: it is not configured, and was not asked.
    """

    name: str
    ok: bool
    ms: float
    error: str | None
    needed: bool
    off: bool = False


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found, part by part."""

    checks: tuple[Check, ...]

    @property
    def accepts_uploads(self) -> bool:
        return all(check.ok for check in self.checks if check.needed)

    @property
    def degraded(self) -> list[str]:
        """The names of the parts that are not as they should be."""
        return [check.name for check in self.checks if not check.ok]

    def to_json(self) -> dict[str, Any]:
        """Return `checks` and `degraded`, as probes show them."""
        shown = {check.name: {"ok": check.ok, "ms": check.ms, "error": check.error} for check in self.checks}
        return {"checks": shown, "degraded": self.degraded}


def check() -> Readiness:
    """Try each part once: database and storage by writing; the workers' folder where this host has workers."""
    return Readiness(tuple(_checks()))


def check_all() -> Readiness:
    """Ask NATS, too, of which no upload and no job knows anything."""
    return Readiness((*_checks(), _check_nats()))


def _check_nats() -> Check:
    if not settings.NATS_URI:
        return Check("nats", True, 0, None, needed=False, off=True)
    return _timed("nats", lambda: nats_probe.ping(settings.NATS_URI), needed=False)


def _checks() -> Iterable[Check]:
    yield _timed("database", _write_to_database)
    yield _timed("queue", queue.ping, needed=False)
    yield _timed("storage", lambda: store(Role.WEB).check())
    if settings.WORKERS:
        yield _timed("work", outage.check_room, needed=False)


def _write_to_database() -> None:
    with database.in_a_hurry(_DATABASE_LIMIT_S):
        Installation.objects.update(probed_at=Now())


def _timed(name: str, ask: Callable[[], None], *, needed: bool = True) -> Check:
    started = time.perf_counter()
    error = None
    try:
        ask()
    except (MediaError, DatabaseError) as problem:
        log.warning("not_ready", part=name, error=str(problem))
        # A database's own message may hold addresses and user names.
        error = str(problem) if isinstance(problem, MediaError) else "The database cannot be written at the moment."
    return Check(name, error is None, round((time.perf_counter() - started) * 1000, 2), error, needed)
