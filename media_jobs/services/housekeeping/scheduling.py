"""Decides when a process with workers runs which task, so that no separate scheduler is needed."""

import random
import time
from collections import deque
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from media_jobs.adapters import database, queue
from media_jobs.services.housekeeping.running import run_if_due
from media_jobs.services.housekeeping.task import Task
from media_jobs.services.housekeeping.tasks import LEASES, TASKS, URGENT
from media_jobs.services.metrics.presence import REPORT_EVERY_S

log = structlog.get_logger(__name__)

_NOTIFY_EVERY_S = 1
_URGENT_EVERY_S = 10
#: A turn, of all tasks together: what is left afterwards continues in the next one. Jobs of a command wait meanwhile.
#: It takes ten seconds at most: what was begun by then is ended first.
_RUN_LIMIT_S = 9.5
_CONTINUE_AFTER_S = 1
#: What is done seldom is asked for more often, because processes come and go; the database knows when it was done.
_ASK_AT_LEAST_EVERY_S = 600


class TaskSchedule:
    """The times at which one process asks for each task. Used by one thread.

    notify, drive_runs: called by both methods, at most once a second or with the urgent tasks.
    report: called by both, every ten seconds.
    """

    def __init__(
        self,
        *,
        notify: Callable[[], object],
        drive_runs: Callable[[], object] = lambda: None,
        report: Callable[[], object] = lambda: None,
    ) -> None:
        self._notify, self._drive_runs, self._report = notify, drive_runs, report
        self._timers = _Timers()
        self._order = deque(task for task in TASKS if task is not LEASES)

    def run_due_tasks(self) -> None:
        """Run what is due. Costs no query when nothing is; database and storage may be away."""
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        until = time.monotonic() + _RUN_LIMIT_S
        try:
            self._report_if_due()
            self._run_if_due(LEASES, until)
            for _ in range(len(self._order)):
                if time.monotonic() >= until:
                    break
                self._run_if_due(self._order[0], until)
                self._order.rotate(-1)  # the next time begins with the next one, or the first would keep all others out
        except DatabaseError as error:
            database.discard_connection(error)
            return
        if self._timers.is_due("notify", _NOTIFY_EVERY_S, at_first=0):
            self._notify()
            self._drive_runs()

    def _run_if_due(self, task: Task, until: float) -> None:
        """until: on the monotonic clock."""
        ask_every_s = min(task.every_s, _ASK_AT_LEAST_EVERY_S)
        if not self._timers.is_due(task.name, ask_every_s, at_first=0 if task is LEASES else ask_every_s / 10):
            return
        outcome = run_if_due(task, limit_s=max(0.0, until - time.monotonic()))
        if outcome and outcome.unfinished:
            self._timers.restart(task.name, _CONTINUE_AFTER_S)

    def _report_if_due(self) -> None:
        if self._timers.is_due("report", REPORT_EVERY_S, at_first=0):
            self._report()

    def run_urgent_tasks(self) -> None:
        """Do what cannot wait from the heartbeat of a busy worker, every ten seconds: jobs of silent ones, flags.

        Raises nothing but queue.JobTimeout, and what is no Exception.
        """
        if not self._timers.is_due("urgent", _URGENT_EVERY_S):
            return
        try:
            self._report_if_due()
            for task in URGENT:
                run_if_due(task, limit_s=_RUN_LIMIT_S)
            self._notify()
            self._drive_runs()
        except queue.JobTimeout:
            raise
        except DatabaseError as error:
            database.discard_connection(error)
        except Exception:  # a bug in here must not cost the job in hand
            log.exception("urgent_tasks_failed")


class _Timers:
    """Intervals by name. They are spread, so that workers started together do not ask together."""

    def __init__(self) -> None:
        self._due_at: dict[str, float] = {}

    def is_due(self, name: str, every_s: float, *, at_first: float | None = None) -> bool:
        """Whether the interval has passed; if so, the next one begins. at_first: the longest first one, in seconds."""
        now = time.monotonic()
        at_first = every_s if at_first is None else at_first
        due_at = self._due_at.setdefault(name, now + at_first * random.random())  # noqa: S311  (no secret)
        if now < due_at:
            return False
        self._due_at[name] = now + every_s * random.uniform(1.0, 1.1)  # noqa: S311  (no secret)
        return True

    def restart(self, name: str, after_s: float) -> None:
        self._due_at[name] = time.monotonic() + after_s
