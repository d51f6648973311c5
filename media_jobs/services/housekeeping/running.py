"""Runs tasks: one that is due, or all of them one after the other, whatever becomes of each."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import Error as DatabaseError

from media_jobs.adapters import database
from media_jobs.errors import MediaError
from media_jobs.services.housekeeping.task import Ages, Observer, Task, TaskRun
from media_jobs.services.housekeeping.task_lease import TaskLease, acquire, lease_holder
from media_jobs.services.housekeeping.tasks import TASKS

log = structlog.get_logger(__name__)

_ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one task.

    error: why it ended early, for a person.
    lease_holder: who was doing it, so that this process did not.
    unfinished: its time was over before everything was repaired.
    """

    task: Task
    found: int = 0
    repaired: int = 0
    took_s: float = 0
    error: str = ""
    lease_holder: str = ""
    unfinished: bool = False


def run(
    *,
    older_than: timedelta | None = None,
    only: Iterable[Task] = TASKS,
    dry_run: bool = False,
    wait_s: float = 0,
    observer: Observer | None = None,
) -> list[Outcome]:
    """Run each task once, due or not. One that fails leaves the others alone.

    older_than: see `Ages.for_leftovers`.
    dry_run: look, and change nothing.
    wait_s: how long to wait for another process that is doing a task.
    """
    ages, observer = Ages.for_leftovers(older_than), observer or Observer()
    outcomes = []
    for task in only:
        try:
            outcomes.append(_find(task, ages, observer) if dry_run else _run_once(task, ages, observer, wait_s))
        except Exception as error:  # a bug in one task must not keep the others
            log.exception("housekeeping_crashed", task=task.name)
            outcomes.append(Outcome(task, error=_sentence(error)))
    return outcomes


def run_if_due(task: Task, *, limit_s: float) -> Outcome | None:
    """Run the task as workers do, for `limit_s` seconds at most. Return None when it is not due."""
    if task.per_host:
        return _run(TaskRun(task, Ages(), limit_s=limit_s), None)
    lease = acquire(task, if_due=True)
    if lease is None:
        return None
    return _run(TaskRun(task, Ages(), heartbeat=lease.heartbeat, limit_s=limit_s, progress=lease.progress), lease)


def _find(task: Task, ages: Ages, observer: Observer) -> Outcome:
    began = time.monotonic()
    task_run = TaskRun(task, ages, observer=observer)
    observer.started(task)
    error = ""
    try:
        for _ in task_run.findings():
            pass
    except MediaError as problem:
        error = str(problem)
    except DatabaseError as problem:
        database.discard_connection(problem)
        error = _sentence(problem)
    return Outcome(task, found=task_run.found, took_s=time.monotonic() - began, error=error)


def _run_once(task: Task, ages: Ages, observer: Observer, wait_s: float) -> Outcome:
    try:
        lease = None if task.per_host else _wait_for_lease(task, observer, wait_s)
    except DatabaseError as problem:
        database.discard_connection(problem)
        return Outcome(task, error=_sentence(problem))
    if lease is None and not task.per_host:
        return Outcome(task, lease_holder=lease_holder(task) or "another process")
    observer.started(task)
    if lease:
        return _run(TaskRun(task, ages, observer=observer, heartbeat=lease.heartbeat), lease)
    return _run(TaskRun(task, ages, observer=observer), None)


def _wait_for_lease(task: Task, observer: Observer, wait_s: float) -> TaskLease | None:
    give_up_at = time.monotonic() + wait_s
    known = ""
    while not (lease := acquire(task, if_due=False)):
        holder = lease_holder(task)
        if holder and time.monotonic() >= give_up_at:
            return None
        if holder and holder != known:
            observer.waiting(task, known := holder)
        if holder:
            time.sleep(_ASK_AGAIN_S)
    return lease


def _run(task_run: TaskRun, lease: TaskLease | None) -> Outcome:
    """Find and repair, then end the lease, whatever happens.

    Raises what nobody foresaw, and what ends the process.
    """
    task, began = task_run.task, time.monotonic()
    try:
        error, unfinished = _repair_all(task_run)
    except BaseException:
        if lease:
            lease.abandon()
        raise
    took_s = time.monotonic() - began
    if lease and unfinished:
        lease.abandon(task_run.progress)
    elif lease:
        with suppress(DatabaseError):
            left = task_run.progress if error else {}
            lease.release(repaired=task_run.repaired, error=error, progress=left)
    if error:
        log.warning("housekeeping_failed", task=task.name, found=task_run.found, repaired=task_run.repaired, why=error)
    elif task_run.repaired:
        log.info("housekeeping_done", task=task.name, repaired=task_run.repaired, duration_ms=int(took_s * 1000))
    return Outcome(task, task_run.found, task_run.repaired, took_s, error, unfinished=unfinished)


def _repair_all(task_run: TaskRun) -> tuple[str, bool]:
    """Return why it ended early, empty where it did not, and whether there was no time for the rest."""
    try:
        for findings in task_run.findings():
            task_run.repair(findings)
            if task_run.is_out_of_time():
                return "", True
        task_run.raise_for_refusals()
    except MediaError as problem:
        return str(problem), False
    except DatabaseError as problem:
        database.discard_connection(problem)
        return _sentence(problem), False
    return "", task_run.paused


def _sentence(problem: Exception) -> str:
    if isinstance(problem, DatabaseError):
        return f"The database did not do it ({str(problem).strip() or type(problem).__name__})."
    return f"A bug of ours ({type(problem).__name__}: {problem}); the log has its traceback."
