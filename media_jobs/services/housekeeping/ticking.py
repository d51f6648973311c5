"""What workers do by the way, so that no scheduler is needed."""

import random
import time

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from media_jobs.adapters import database, queue
from media_jobs.services.housekeeping.parts import LEASES, PARTS
from media_jobs.services.housekeeping.running import do_if_due
from media_jobs.services.jobs import dispatch

log = structlog.get_logger(__name__)

_WAKE_EVERY_S = 1
_PULSE_EVERY_S = 10
#: Jobs wait while a worker keeps house: what is left afterwards has its turn after the next one.
_AT_MOST_S = 10
_SOON_S = 1
#: What is done seldom is asked for more often, because processes come and go; the database knows when it was done.
_ASK_AT_LEAST_EVERY_S = 600


class _Timers:
    """When this process next asks for what. Spread, so that workers started together do not ask together."""

    def __init__(self) -> None:
        self._due_at: dict[str, float] = {}

    def is_due(self, name: str, every_s: float, *, at_first: float | None = None) -> bool:
        """Starts the next interval where it is. at_first: the longest that a new process waits."""
        now = time.monotonic()
        at_first = every_s if at_first is None else at_first
        due_at = self._due_at.setdefault(name, now + at_first * random.random())  # noqa: S311  (no secret)
        if now < due_at:
            return False
        self._due_at[name] = now + every_s * random.uniform(1.0, 1.1)  # noqa: S311
        return True

    def soon(self, name: str) -> None:
        self._due_at[name] = time.monotonic() + _SOON_S

    def clear(self) -> None:
        self._due_at.clear()


_timers = _Timers()


def tick() -> None:
    """Between jobs: do what is due. Costs nothing when nothing is, and lets a database or storage be away."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    for part in PARTS:
        ask_every_s = min(part.every_s, _ASK_AT_LEAST_EVERY_S)
        if not _timers.is_due(part.name, ask_every_s, at_first=0 if part is LEASES else ask_every_s / 10):
            continue
        try:
            outcome = do_if_due(part, limit_s=_AT_MOST_S)
        except DatabaseError as error:
            database.discard_connection(error)
            return
        if outcome and outcome.unfinished:
            _timers.soon(part.name)
    if _timers.is_due("wake", _WAKE_EVERY_S, at_first=0):
        dispatch.top_up()


def pulse() -> None:
    """From the heartbeat of a busy worker: other workers' jobs come back, and lists stay filled, while all are at work.

    Raises nothing but queue.JobTimeout, and what is no Exception.
    """
    if not _timers.is_due("pulse", _PULSE_EVERY_S):
        return
    try:
        do_if_due(LEASES, limit_s=_AT_MOST_S)
        dispatch.top_up()
    except queue.JobTimeout:
        raise
    except DatabaseError as error:
        database.discard_connection(error)
    except Exception:  # a bug in here must not cost the job in hand
        log.exception("pulse_failed")
