"""Doing parts: one, or all of them one after the other, whatever becomes of each."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import Error as DatabaseError

from media_jobs.adapters import database
from media_jobs.errors import MediaError
from media_jobs.services.housekeeping.keeper import Keeper, holder, take
from media_jobs.services.housekeeping.part import Ages, Part, Sitting, Watch
from media_jobs.services.housekeeping.parts import PARTS

log = structlog.get_logger(__name__)

_ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one part.

    error: why it ended early, for a person.
    doer: who was at it, so that this keeper was not.
    unfinished: its time was over before everything was repaired.
    """

    part: Part
    found: int = 0
    repaired: int = 0
    took_s: float = 0
    error: str = ""
    doer: str = ""
    unfinished: bool = False


def run(
    *,
    older_than: timedelta | None = None,
    only: Iterable[Part] = PARTS,
    dry_run: bool = False,
    patience_s: float = 0,
    watch: Watch | None = None,
) -> list[Outcome]:
    """All of it, once, due or not. Parts that fail leave the others alone.

    older_than: see `Ages.of_leftovers`.
    dry_run: look, and change nothing.
    patience_s: how long to wait for somebody who does a part at this moment.
    """
    ages, watch = Ages.of_leftovers(older_than), watch or Watch()
    outcomes = []
    for part in only:
        try:
            outcomes.append(_look(part, ages, watch) if dry_run else _do_all(part, ages, watch, patience_s))
        except Exception as error:  # a bug in one part must not keep the others
            log.exception("housekeeping_crashed", part=part.name)
            outcomes.append(Outcome(part, error=_sentence(error)))
    return outcomes


def do_if_due(part: Part, *, limit_s: float) -> Outcome | None:
    """As workers do it between two jobs: None when nothing was to be done; what is left after `limit_s` waits."""
    if part.everywhere:
        return _do(Sitting(part, Ages(), limit_s=limit_s), None)
    keeper = take(part, if_due=True)
    return _do(Sitting(part, Ages(), heartbeat=keeper.heartbeat, limit_s=limit_s), keeper) if keeper else None


def _look(part: Part, ages: Ages, watch: Watch) -> Outcome:
    began = time.monotonic()
    sitting = Sitting(part, ages, watch=watch)
    watch.started(part)
    error = ""
    try:
        for _ in sitting.finds():
            pass
    except MediaError as problem:
        error = str(problem)
    except DatabaseError as problem:
        database.discard_connection(problem)
        error = _sentence(problem)
    return Outcome(part, found=sitting.found, took_s=time.monotonic() - began, error=error)


def _do_all(part: Part, ages: Ages, watch: Watch, patience_s: float) -> Outcome:
    try:
        keeper = None if part.everywhere else _take_patiently(part, watch, patience_s)
    except DatabaseError as problem:
        database.discard_connection(problem)
        return Outcome(part, error=_sentence(problem))
    if keeper is None and not part.everywhere:
        return Outcome(part, doer=holder(part) or "another process")
    watch.started(part)
    sitting = (
        Sitting(part, ages, watch=watch, heartbeat=keeper.heartbeat) if keeper else Sitting(part, ages, watch=watch)
    )
    return _do(sitting, keeper)


def _take_patiently(part: Part, watch: Watch, patience_s: float) -> Keeper | None:
    until = time.monotonic() + patience_s
    told = ""
    while not (keeper := take(part, if_due=False)):
        doer = holder(part)
        if doer and time.monotonic() >= until:
            return None
        if doer and doer != told:
            watch.waiting(part, told := doer)
        if doer:
            time.sleep(_ASK_AGAIN_S)
    return keeper


def _do(sitting: Sitting, keeper: Keeper | None) -> Outcome:
    """Raises what is not to be foreseen, and what ends the process; then the part is free for others all the same."""
    part, began = sitting.part, time.monotonic()
    try:
        error, unfinished = _repair_all(sitting)
    except BaseException:
        if keeper:
            keeper.leave()
        raise
    took_s = time.monotonic() - began
    if keeper and unfinished:
        keeper.leave()
    elif keeper:
        with suppress(DatabaseError):
            keeper.release(repaired=sitting.repaired, error=error)
    if error:
        log.warning("housekeeping_failed", part=part.name, found=sitting.found, repaired=sitting.repaired, why=error)
    elif sitting.repaired:
        log.info("housekeeping_done", part=part.name, repaired=sitting.repaired, duration_ms=int(took_s * 1000))
    return Outcome(part, sitting.found, sitting.repaired, took_s, error, unfinished=unfinished)


def _repair_all(sitting: Sitting) -> tuple[str, bool]:
    """Why it ended early, empty where it did not, and whether there was no time for the rest."""
    try:
        for finds in sitting.finds():
            sitting.repair(finds)
            if sitting.is_over():
                return "", True
        sitting.close()
    except MediaError as problem:
        return str(problem), False
    except DatabaseError as problem:
        database.discard_connection(problem)
        return _sentence(problem), False
    return "", False


def _sentence(problem: Exception) -> str:
    if isinstance(problem, DatabaseError):
        return f"The database did not do it ({str(problem).strip() or type(problem).__name__})."
    return f"A bug of ours ({type(problem).__name__}: {problem}); the log has its traceback."
