"""A run's bookkeeping, done by one process at a time, a little each second: whoever has a moment takes its turn.

A run that a command works on is driven by that command; the workers of the service end what it left behind.
"""

import os
import socket
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from media_jobs.models import Job, ReprocessRun, RunItem
from media_jobs.services.jobs import expired_leases
from media_jobs.services.jobs.lifecycle import CANCELLABLE, cancelled
from media_jobs.services.jobs.transitions import from_now, move_all
from media_jobs.services.runs import breaker, claiming, filling, ledger, moves, rollback, throttle
from media_jobs.states import JobState, RunBy, RunItemState, RunState

log = structlog.get_logger(__name__)

ACTIVE = (RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING, RunState.ROLLING_BACK)
#: One turn takes about so long at most; jobs wait meanwhile.
TURN_S = 0.5
#: What is in work when a run is to pause has so long to end.
FORCE_AFTER = timedelta(minutes=5)
_BATCH = 300
_UNTHROTTLED: dict[str, Any] = {"throttle_reason": "", "throttled_until": None, "throttle_s": 0}


def name() -> str:
    """Return what this process is called as the holder of a run."""
    return f"{socket.gethostname()[:200]}-{os.getpid()}"


def drive_all(worker: str) -> None:
    """Give each active run a turn. One query where there is none."""
    for run_id in ReprocessRun.objects.filter(state__in=ACTIVE).values_list("pk", flat=True):
        drive(run_id, worker)


def drive(run_id: UUID, worker: str) -> ReprocessRun | None:
    """Give the run a turn of at most about TURN_S; None where somebody else holds it, or there is nothing to drive.

    A command calls this about once a second for the run that it works on, under the name by which it holds it; that
    renews its hold.
    """
    free = Q(lease_until=None) | Q(lease_until__lt=Now()) | Q(worker=worker)
    run = ReprocessRun.objects.filter(pk=run_id, state__in=ACTIVE)
    foreign = Q(by=RunBy.COMMAND, state=RunState.RUNNING) & ~Q(worker=worker)
    if run.filter(foreign).exists():
        _interrupt_if_lost(run_id, foreign)
        return None
    began = time.monotonic()
    if not run.filter(free).update(worker=worker, lease_until=from_now(moves.HOLD_S)):
        return None
    statement_s = time.monotonic() - began
    found = moves.read(run_id)
    try:
        _take_turn(found, statement_s)
    finally:
        # So that whoever has a moment takes the next one; a command keeps its own.
        mine = ReprocessRun.objects.filter(pk=run_id, worker=worker)
        mine.exclude(by=RunBy.COMMAND, state=RunState.RUNNING).update(worker="", lease_until=None)
    return moves.read(run_id)


def _interrupt_if_lost(run_id: UUID, foreign: Q) -> None:
    if moves.try_move(run_id, RunState.INTERRUPTED, only=foreign & Q(lease_until__lt=Now())):
        log.warning("run_interrupted", run=str(run_id))


def _take_turn(run: ReprocessRun, statement_s: float) -> None:
    match run.state:
        case RunState.RUNNING:
            _work(run, statement_s)
        case RunState.PAUSING:
            _pause(run)
        case RunState.CANCELLING:
            _cancel(run)
        case RunState.ROLLING_BACK:
            _roll_back(run)


def _work(run: ReprocessRun, statement_s: float) -> None:
    expired_leases.requeue(Job.objects.filter(run=run))  # a command may work where no service does
    until = time.monotonic() + TURN_S
    if run.filled_to is None:
        filling.fill_page(run, filling.FIRST_PAGE)
    ledger.tally(run)
    if breaker.tripped(run):
        return
    window = throttle.window(run, statement_s=statement_s)
    if run.by == RunBy.WORKERS and (room := window - _working(run)) > 0:
        claiming.release(run, room)
    while filling.fill_page(run) and time.monotonic() < until:
        pass
    if run.filled_at and not _unfinished(run).exists():
        _end(run, RunState.FINISHED)


def _pause(run: ReprocessRun) -> None:
    if _withdraw(run):
        moves.try_move(run.pk, RunState.PAUSED, code=run.code, detail=run.detail, **_UNTHROTTLED)
    ledger.tally(run)


def _cancel(run: ReprocessRun) -> None:
    if not _withdraw(run):
        return
    until = time.monotonic() + TURN_S
    left = RunItem.objects.filter(run=run, state=RunItemState.TODO).order_by("original")
    while ids := list(left.values_list("pk", flat=True)[: filling.PAGE]):
        ledger.skip(ids, ledger.CANCELLED)
        if time.monotonic() > until:
            return
    _end(run, RunState.CANCELLED)


def _roll_back(run: ReprocessRun) -> None:
    ledger.tally(run)
    if rollback.roll_back_some(run, for_s=TURN_S):
        moves.try_move(run.pk, RunState.ROLLED_BACK, detail=run.detail, **_UNTHROTTLED)


def _unfinished(run: ReprocessRun) -> QuerySet[RunItem]:
    return RunItem.objects.filter(run=run, state__in=[RunItemState.TODO, RunItemState.WORKING])


def _working(run: ReprocessRun) -> int:
    return RunItem.objects.filter(run=run, state=RunItemState.WORKING).count()


def _withdraw(run: ReprocessRun) -> bool:
    """Take back the jobs that nobody works on, and after a while those, too. Return whether none is left."""
    force = ReprocessRun.objects.filter(pk=run.pk, state_since__lte=Now() - FORCE_AFTER).exists()
    states = CANCELLABLE if force else (JobState.QUEUED,)
    with transaction.atomic():
        # Not those that somebody has queued again: their lines are over.
        waited_for = Job.objects.filter(run=run, state__in=states, run_item__state=RunItemState.WORKING)
        jobs = list(waited_for.order_by("pk").values_list("pk", flat=True)[:_BATCH])
        held = Q(state__in=states)
        move_all(jobs, held, "cancelled", actor="system", data={"reason": "run_stopped"}, **cancelled())
        gone = Job.objects.filter(pk__in=jobs, state=JobState.CANCELLED)
        ids = list(gone.values_list("pk", flat=True))
        RunItem.objects.filter(job__in=ids).update(state=RunItemState.TODO, code="", job=None, ended_at=None)
        gone.update(run=None)
    return not RunItem.objects.filter(run=run, state=RunItemState.WORKING).exists()


def _end(run: ReprocessRun, target: RunState) -> None:
    while not ledger.tally(run):
        pass
    moves.try_move(run.pk, target, detail=run.detail, ended_at=Now(), **_UNTHROTTLED)
    log.info("run_ended", run=str(run.pk), state=target)
