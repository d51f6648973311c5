"""A task is done by one lease holder at a time, whoever dies."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from media_jobs.adapters import queue
from media_jobs.errors import StorageUnavailable
from media_jobs.models import MaintenanceTask, Original
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import running, task_lease
from media_jobs.services.housekeeping.task import Ages, Finding, Task, TaskRun
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.states import OriginalState
from tests.factories import make_original
from tests.services.housekeeping.helpers import let_pass

pytestmark = pytest.mark.django_db

LIMIT_S = 30
HOUR = timedelta(hours=1)


def task_of(repair: Any, *, findings: int = 1, **fields: Any) -> Task:
    def find(_: TaskRun) -> Any:
        yield [Finding(f"find {n}", n) for n in range(findings)]

    return Task(**({"name": "test", "about": "", "every_s": 60, "find": find, "repair": repair} | fields))


@pytest.mark.django_db(transaction=True)
def test_of_two_processes_at_once_one_does_the_task():
    begun, go = threading.Event(), threading.Event()
    done: list[int] = []

    def slowly(_: TaskRun, findings: list[Finding]) -> int:
        begun.set()
        assert go.wait(LIMIT_S)
        done.append(1)
        return len(findings)

    task = task_of(slowly)

    def first() -> running.Outcome:
        try:
            return housekeeping.run(only=[task])[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(first)
        assert begun.wait(LIMIT_S)
        (second,) = housekeeping.run(only=[task])
        assert second.lease_holder == MaintenanceTask.objects.get(name="test").worker != ""
        assert (second.found, second.repaired, second.error) == (0, 0, "")
        go.set()
        assert outcome.result(LIMIT_S).repaired == 1
    assert done == [1]
    (third,) = housekeeping.run(only=[task])
    assert third.repaired == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_do_what_is_due_once():
    done: list[int] = []

    def count(_: TaskRun, findings: list[Finding]) -> int:
        done.append(1)
        return len(findings)

    task = task_of(count)

    def work(_: int) -> None:
        try:
            running.run_if_due(task, limit_s=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert done == [1]
    let_pass(timedelta(seconds=61))
    work(0)
    assert done == [1, 1]


def test_a_holder_that_died_is_replaced_after_its_lease():
    task = task_of(lambda _, findings: len(findings))
    task_lease.acquire(task, if_due=False)
    MaintenanceTask.objects.update(worker="elsewhere:1:abcdef")
    assert running.run_if_due(task, limit_s=10) is None
    let_pass(timedelta(seconds=601))
    assert running.run_if_due(task, limit_s=10).repaired == 1  # type: ignore[union-attr]


def test_a_holder_of_this_host_that_died_is_replaced_at_once_by_hand():
    task = task_of(lambda _, findings: len(findings))
    task_lease.acquire(task, if_due=False)
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    name = MaintenanceTask.objects.get().worker
    MaintenanceTask.objects.update(worker=name.replace(f":{os.getpid()}:", f":{died.pid}:"))
    (outcome,) = housekeeping.run(only=[task], wait_s=LIMIT_S)
    assert (outcome.repaired, outcome.lease_holder) == (1, "")


def test_a_holder_that_was_replaced_ends(monkeypatch):
    task = task_of(lambda task_run, findings: len(task_run.for_each(findings, lambda _: True)), findings=3, lease_s=0)
    lease = task_lease.acquire(task, if_due=False)
    assert lease
    lease.heartbeat()
    MaintenanceTask.objects.update(worker="somebody else")
    with pytest.raises(task_lease.TaskLeaseLost):
        lease.heartbeat()
    lease.release(repaired=5)
    assert (MaintenanceTask.objects.get().worker, MaintenanceTask.objects.get().repaired) == ("somebody else", 0)


def test_what_came_of_it_is_written_down():
    running.run_if_due(task_of(lambda _, findings: len(findings), findings=7), limit_s=10)
    task = MaintenanceTask.objects.get()
    assert (task.repaired, task.error, task.worker, task.lease_until) == (7, "", "", None)
    assert task.finished_at


def test_what_failed_is_tried_again_before_its_time():
    def fail(_: TaskRun, findings: list[Finding]) -> int:
        raise StorageUnavailable("listing files")

    task = task_of(fail, every_s=86_400)
    assert running.run_if_due(task, limit_s=10).error  # type: ignore[union-attr]
    assert "listing files" in MaintenanceTask.objects.get().error
    assert running.run_if_due(task, limit_s=10) is None
    let_pass(timedelta(minutes=11))
    assert running.run_if_due(task, limit_s=10)


@pytest.mark.parametrize("problem", [queue.JobTimeout("alarm"), SystemExit(1), ZeroDivisionError()])
def test_whatever_ends_a_holder_frees_the_task(problem):
    def end(_: TaskRun, findings: list[Finding]) -> int:
        raise problem

    with pytest.raises(type(problem)):
        running.run_if_due(task_of(end), limit_s=10)
    assert MaintenanceTask.objects.get().lease_until is None
    assert running.run_if_due(task_of(lambda _, findings: len(findings)), limit_s=10)


def test_a_bug_in_one_task_does_not_keep_the_others():
    crashing = task_of(lambda _, findings: 1 // 0, name="crashing")
    outcomes = housekeeping.run(only=[crashing, task_of(lambda _, findings: len(findings))])
    assert "ZeroDivisionError" in outcomes[0].error
    assert outcomes[1].repaired == 1


def test_jobs_do_not_wait_for_long_work(monkeypatch):
    """What is left when a worker's time is over waits for its next look, and is due at once."""
    for n in range(5):
        make_original(bytes([n]), state=OriginalState.DELETED)
    outcome = running.run_if_due(task_named("uploads"), limit_s=0)
    assert outcome
    assert outcome.unfinished
    assert Original.objects.count() == 5
    outcome = running.run_if_due(task_named("uploads"), limit_s=10)
    assert outcome
    assert (outcome.repaired, outcome.unfinished) == (5, False)


def test_the_ages_of_people_and_of_workers():
    assert Ages.for_leftovers(None) == Ages()
    assert Ages.for_leftovers(timedelta(0)) == Ages(leftover_s=0, deleting_s=0, orphan_s=0, staging_s=0)
    assert Ages.for_leftovers(HOUR) == Ages(leftover_s=3600)
