"""A command that works on a run by itself, with processes of its own, until it is over or somebody stops it."""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from uuid import UUID

import structlog
from django.db.models.functions import Now

from media_jobs.adapters import database
from media_jobs.callers import SYSTEM
from media_jobs.errors import WrongState
from media_jobs.management.own_workers import LOOK_EVERY_S, TURN_EVERY_S, OwnWorkers
from media_jobs.management.progress import ProgressLines
from media_jobs.management.run_text import duration
from media_jobs.models import ReprocessRun
from media_jobs.services.jobs import processing
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.runs import claiming, driving, lifecycle, moves
from media_jobs.states import RunBy, RunState

log = structlog.get_logger(__name__)

#: The rate is that of the last so many seconds.
_RATE_OVER_S = 60.0
_GOES_ON = (RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING)


def next_job_of(run_id: UUID) -> Callable[[Worker], bool]:
    """Return what has a worker do the run's next job."""

    def next_job(worker: Worker) -> bool:
        claim = partial(claiming.claim_next, run_id, worker)
        return processing.process_one(partial(database.retry_on_disconnect, claim), worker)

    return next_job


def take_over(run_id: UUID, *, holder: str, by: RunBy, shown: Callable[[str], object]) -> ReprocessRun:
    """Go on with a run that was paused, or whose command is gone, which may take half a minute to tell.

    holder: the command that works on it from now on; empty: the service's workers do. Raises WrongState,
    ReprocessRun.DoesNotExist.
    """
    give_up_at, waiting = time.monotonic() + moves.HOLD_S + TURN_EVERY_S, False
    while True:
        run = moves.read(run_id)
        if run.state != RunState.RUNNING or run.by != RunBy.COMMAND:
            return lifecycle.resume(run_id, actor=SYSTEM, worker=holder, by=by)
        if _is_gone(run.worker):
            ReprocessRun.objects.filter(pk=run_id, worker=run.worker).update(lease_until=Now())
        elif time.monotonic() > give_up_at:
            raise WrongState(f"{run.worker} works on this run already.")
        elif not waiting:
            shown(f"Waiting: {run.worker} may still work on this run.")
            waiting = True
        time.sleep(LOOK_EVERY_S)
        driving.drive(run_id, driving.name())  # says that it was interrupted, once its hold has ended


def _is_gone(holder: str) -> bool:
    """Whether this was a process of this host, and there is none of that number."""
    (host, pid), here = holder.rpartition("-")[::2], driving.name().rpartition("-")[0]
    if host != here or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's
        return False
    return False


class OwnWork(OwnWorkers):
    """One run, and the workers that do it."""

    def __init__(self, run: ReprocessRun, *, renders: int, holder: str, shown: ProgressLines) -> None:
        super().__init__(next_job_of(run.pk), renders=renders, shown=shown)
        self.run, self._holder, self._pace = run, holder, Pace(run)

    def until_over(self) -> ReprocessRun:
        """Work until nothing is left to do, the run was paused or cancelled, and no worker is left."""
        self._work()
        return self.run

    def _goes_on(self) -> bool:
        if self.run.state == RunState.RUNNING and not self._asked:
            self._group.keep_alive()
            return True
        if self.run.state not in (RunState.RUNNING, RunState.PAUSING):
            self._group.stop()
        return self.run.state in _GOES_ON or not self._group.has_ended()

    def _turn(self) -> None:
        try:
            if self._asked and self.run.state == RunState.RUNNING:
                with suppress(WrongState):  # it has ended at this moment
                    lifecycle.pause(self.run.pk, actor=SYSTEM)
            driving.drive(self.run.pk, self._holder)
            self.run.refresh_from_db()
            if self.run.state == RunState.INTERRUPTED and not self._asked:  # the database was away for long
                log.warning("run_resumed", run=str(self.run.pk))
                with suppress(WrongState):  # somebody else has taken it
                    lifecycle.resume(self.run.pk, actor=SYSTEM, worker=self._holder, by=RunBy.COMMAND)
                self.run.refresh_from_db()
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)

    def _show(self) -> None:
        what = "stopping, once more to stop at once" if self._asked == 1 else "stopping" if self._asked else "images"
        self._shown.show(
            what, done=self._pace.ended(self.run), of=self._pace.total(self.run), note=self._pace.said(self.run)
        )


class Pace:
    """How quickly a run goes, and until when."""

    def __init__(self, run: ReprocessRun) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._began_with = self.ended(run)

    @staticmethod
    def ended(run: ReprocessRun) -> int:
        return run.total - run.left

    @staticmethod
    def total(run: ReprocessRun) -> int:
        """As long as the ledger is being filled, that is what was estimated."""
        estimated = int((run.estimate or {}).get("images", 0))
        return run.total if run.filled_at else max(run.total, estimated)

    def said(self, run: ReprocessRun) -> str:
        now, ended = time.monotonic(), self.ended(run)
        if not self._seen or self._seen[-1][1] != ended or now - self._seen[-1][0] > 1:
            self._seen.append((now, ended))
        while len(self._seen) > 2 and now - self._seen[1][0] > _RATE_OVER_S:
            self._seen.popleft()
        (since, had), parts = self._seen[0], []
        if ended > had and now > since:
            rate = (ended - had) / (now - since)
            parts += [f"{rate:.1f}/s", f"{duration((self.total(run) - ended) / rate)} left"]
        if run.failed:
            parts.append(f"{run.failed:,} failed")
        if run.skipped:
            parts.append(f"{run.skipped:,} skipped")
        return ", ".join(parts)
