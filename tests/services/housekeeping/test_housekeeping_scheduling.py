"""Workers do what is due by the way, and it never costs them the job in hand."""

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from media_jobs.adapters import queue
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Job, MaintenanceTask, Original
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import TaskSchedule, scheduling, task_lease
from media_jobs.services.housekeeping.tasks import LEASES, TASKS
from media_jobs.states import JobState, OriginalState
from tests import working
from tests.factories import make_job, make_original
from tests.services.housekeeping.helpers import let_pass

pytestmark = pytest.mark.django_db


@pytest.fixture
def notified() -> list[None]:
    return []


@pytest.fixture
def schedule(notified: list[None]) -> TaskSchedule:
    return TaskSchedule(notify=lambda: notified.append(None))


@pytest.fixture
def eager(schedule: TaskSchedule, monkeypatch) -> TaskSchedule:
    """Everything is due for this process: the database alone decides."""
    monkeypatch.setattr(schedule._timers, "is_due", lambda *_, **__: True)
    return schedule


def failing_to_notify(problem: BaseException, monkeypatch) -> TaskSchedule:
    def fail() -> None:
        raise problem

    schedule = TaskSchedule(notify=fail)
    monkeypatch.setattr(schedule._timers, "is_due", lambda *_, **__: True)
    return schedule


def lose_a_job() -> Job:
    """The job of a worker that went silent."""
    job = working.claim(make_job().pk, "gone")
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    return job


def test_with_nothing_due_nobody_is_asked(schedule, notified, django_assert_num_queries, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(scheduling, "time", SimpleNamespace(monotonic=lambda: now))
    schedule.run_due_tasks()
    with django_assert_num_queries(0):
        schedule.run_due_tasks()
    assert len(notified) == 1  # twice in a second


def test_the_limit_is_one_for_all_tasks_and_each_has_its_turn(eager, monkeypatch):
    now, asked = [1000.0], []

    def take_its_time(task: Any, *, limit_s: float) -> None:
        asked.append((task.name, limit_s))
        now[0] += 4

    monkeypatch.setattr(scheduling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(scheduling, "run_if_due", take_its_time)
    eager.run_due_tasks()
    assert [limit_s for _, limit_s in asked] == [9.5, 5.5, 1.5]
    for _ in range(20):
        eager.run_due_tasks()
    names = [name for name, _ in asked]
    assert set(names) == {task.name for task in TASKS}
    assert names.count("leases") == 21
    others = [names.count(task.name) for task in TASKS if task is not LEASES]
    assert max(others) - min(others) <= 1


def test_two_schedules_share_no_timers(schedule, notified):
    schedule.run_due_tasks()
    TaskSchedule(notify=lambda: notified.append(None)).run_due_tasks()
    assert len(notified) == 2


def test_a_worker_repairs_everything_in_time(eager, notified):
    job = lose_a_job()
    make_original(b"x", state=OriginalState.DELETED)
    eager.run_due_tasks()
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert len(notified) == 1
    assert list(store(Role.WORKER).keys()) == []


def test_a_busy_worker_brings_back_what_others_lost(eager, notified):
    job = lose_a_job()
    eager.run_urgent_tasks()
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert len(notified) == 1


def test_leases_of_jobs_wait_for_no_dead_lease_holder(eager):
    job = lose_a_job()
    task_lease.acquire(LEASES, if_due=False)
    MaintenanceTask.objects.update(worker="elsewhere:1:abcdef")
    let_pass(timedelta(seconds=11))
    eager.run_urgent_tasks()
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_urgent_tasks_are_run_at_most_every_ten_seconds(schedule, monkeypatch):
    runs: list[str] = []
    now = [1000.0]
    monkeypatch.setattr(scheduling, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(scheduling, "run_if_due", lambda task, **_: runs.append(task.name))
    for _ in range(200):  # a hundred seconds
        now[0] += 0.5
        schedule.run_urgent_tasks()
    assert set(runs) == {"leases", "flags"}
    assert all(8 <= runs.count(name) <= 10 for name in set(runs))


@pytest.mark.parametrize("problem", [OperationalError("gone"), StorageUnavailable("x"), ZeroDivisionError()])
def test_urgent_tasks_never_cost_the_job_in_hand(eager, monkeypatch, problem):
    def fail(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(scheduling, "run_if_due", fail)
    eager.run_urgent_tasks()


@pytest.mark.parametrize("problem", [queue.JobTimeout("alarm"), SystemExit(1), KeyboardInterrupt()])
def test_urgent_tasks_let_the_alarm_through(monkeypatch, problem):
    with pytest.raises(type(problem)):
        failing_to_notify(problem, monkeypatch).run_urgent_tasks()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_survived(eager):
    make_original(b"x", state=OriginalState.DELETED)

    def away(*_: Any) -> None:
        raise OperationalError("the connection is closed")

    with connection.execute_wrapper(away):
        eager.run_due_tasks()
        eager.run_urgent_tasks()
        outcomes = housekeeping.run()
    assert all(outcome.error for outcome in outcomes if not outcome.task.per_host and outcome.task.name != "writes")
    eager.run_due_tasks()
    assert not Original.objects.exists()


def test_a_storage_that_is_away_is_survived(eager, monkeypatch):
    make_original(b"x", state=OriginalState.DELETED)

    def away(*_: object, **__: object) -> Any:
        raise StorageUnavailable("asking it")

    with monkeypatch.context() as patch:
        for method in ("delete", "keys", "sweep", "unfinished"):
            patch.setattr(store(Role.WORKER), method, away)
        eager.run_due_tasks()
    assert MaintenanceTask.objects.get(name="uploads").error
    let_pass(timedelta(hours=1))
    eager.run_due_tasks()
    assert not Original.objects.exists()
    assert MaintenanceTask.objects.get(name="uploads").error == ""
