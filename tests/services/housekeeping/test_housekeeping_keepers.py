"""A part is done by one keeper at a time, whoever dies, and workers do what is due by the way."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
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
from media_jobs.services.housekeeping import keeper, running, ticking
from media_jobs.services.housekeeping.part import Ages, Find, Part, Sitting
from media_jobs.services.housekeeping.parts import LEASES, named
from media_jobs.services.jobs import dispatch, processing
from media_jobs.states import JobState, Lane, OriginalState
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db

LIMIT_S = 60
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _a_new_process():
    ticking._timers.clear()
    yield
    ticking._timers.clear()


@pytest.fixture
def impatient(monkeypatch):
    """Everything is due for this process: the database alone decides."""
    monkeypatch.setattr(ticking._timers, "is_due", lambda *_, **__: True)


def later(by: timedelta) -> None:
    """As if what housekeeping remembers were so much older."""
    for task in MaintenanceTask.objects.all():
        moved = {f: getattr(task, f) and getattr(task, f) - by for f in ("lease_until", "finished_at")}
        MaintenanceTask.objects.filter(pk=task.pk).update(**moved)


def part_of(repair: Any, *, finds: int = 1, **fields: Any) -> Part:
    def find(_: Sitting) -> Any:
        yield [Find(f"find {n}", n) for n in range(finds)]

    return Part(**({"name": "test", "about": "", "every_s": 60, "find": find, "repair": repair} | fields))


@pytest.mark.django_db(transaction=True)
def test_of_two_keepers_at_once_one_does_the_part():
    begun, go = threading.Event(), threading.Event()
    done: list[int] = []

    def slowly(_: Sitting, finds: list[Find]) -> int:
        begun.set()
        assert go.wait(LIMIT_S)
        done.append(1)
        return len(finds)

    part = part_of(slowly)

    def first() -> running.Outcome:
        try:
            return housekeeping.run(only=[part])[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(first)
        assert begun.wait(LIMIT_S)
        (second,) = housekeeping.run(only=[part])
        assert second.doer == MaintenanceTask.objects.get(name="test").worker != ""
        assert (second.found, second.repaired, second.error) == (0, 0, "")
        go.set()
        assert outcome.result(LIMIT_S).repaired == 1
    assert done == [1]
    (third,) = housekeeping.run(only=[part])
    assert third.repaired == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_do_what_is_due_once():
    done: list[int] = []

    def count(_: Sitting, finds: list[Find]) -> int:
        done.append(1)
        return len(finds)

    part = part_of(count)

    def work(_: int) -> None:
        try:
            running.do_if_due(part, limit_s=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert done == [1]
    later(timedelta(seconds=61))
    work(0)
    assert done == [1, 1]


def test_a_keeper_that_died_is_replaced_after_its_lease():
    part = part_of(lambda _, finds: len(finds))
    keeper.take(part, if_due=False)
    MaintenanceTask.objects.update(worker="elsewhere:1:abcdef")
    assert running.do_if_due(part, limit_s=10) is None
    later(timedelta(seconds=601))
    assert running.do_if_due(part, limit_s=10).repaired == 1  # type: ignore[union-attr]


def test_a_keeper_of_this_host_that_died_is_replaced_at_once_by_hand():
    part = part_of(lambda _, finds: len(finds))
    keeper.take(part, if_due=False)
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    name = MaintenanceTask.objects.get().worker
    MaintenanceTask.objects.update(worker=name.replace(f":{os.getpid()}:", f":{died.pid}:"))
    (outcome,) = housekeeping.run(only=[part], patience_s=LIMIT_S)
    assert (outcome.repaired, outcome.doer) == (1, "")


def test_leases_of_jobs_wait_for_no_dead_keeper(impatient):
    job = processing.claim(make_job().pk, "gone")
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    keeper.take(LEASES, if_due=False)
    MaintenanceTask.objects.update(worker="elsewhere:1:abcdef")
    later(timedelta(seconds=11))
    housekeeping.pulse()
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_a_keeper_that_was_replaced_ends(monkeypatch):
    part = part_of(lambda sitting, finds: len(sitting.each(finds, lambda _: True)), finds=3, lease_s=0)
    held = keeper.take(part, if_due=False)
    assert held
    held.heartbeat()
    MaintenanceTask.objects.update(worker="somebody else")
    with pytest.raises(keeper.PartLost):
        held.heartbeat()
    held.release(repaired=5)
    assert (MaintenanceTask.objects.get().worker, MaintenanceTask.objects.get().repaired) == ("somebody else", 0)


def test_what_came_of_it_is_written_down():
    running.do_if_due(part_of(lambda _, finds: len(finds), finds=7), limit_s=10)
    task = MaintenanceTask.objects.get()
    assert (task.repaired, task.error, task.worker, task.lease_until) == (7, "", "", None)
    assert task.finished_at


def test_what_failed_is_tried_again_before_its_time():
    def fail(_: Sitting, finds: list[Find]) -> int:
        raise StorageUnavailable("listing files")

    part = part_of(fail, every_s=86_400)
    assert running.do_if_due(part, limit_s=10).error  # type: ignore[union-attr]
    assert "listing files" in MaintenanceTask.objects.get().error
    assert running.do_if_due(part, limit_s=10) is None
    later(timedelta(minutes=11))
    assert running.do_if_due(part, limit_s=10)


@pytest.mark.parametrize("problem", [queue.JobTimeout("alarm"), SystemExit(1), ZeroDivisionError()])
def test_whatever_ends_a_keeper_frees_the_part(problem):
    def end(_: Sitting, finds: list[Find]) -> int:
        raise problem

    with pytest.raises(type(problem)):
        running.do_if_due(part_of(end), limit_s=10)
    assert MaintenanceTask.objects.get().lease_until is None
    assert running.do_if_due(part_of(lambda _, finds: len(finds)), limit_s=10)


def test_a_bug_in_one_part_does_not_keep_the_others():
    crashing = part_of(lambda _, finds: 1 // 0, name="crashing")
    outcomes = housekeeping.run(only=[crashing, part_of(lambda _, finds: len(finds))])
    assert "ZeroDivisionError" in outcomes[0].error
    assert outcomes[1].repaired == 1


def test_jobs_do_not_wait_for_long_work(monkeypatch):
    """What is left when a worker's time is over waits for its next tick, and is due at once."""
    for n in range(5):
        make_original(bytes([n]), state=OriginalState.DELETED)
    outcome = running.do_if_due(named("uploads"), limit_s=0)
    assert outcome
    assert outcome.unfinished
    assert Original.objects.count() == 5
    outcome = running.do_if_due(named("uploads"), limit_s=10)
    assert outcome
    assert (outcome.repaired, outcome.unfinished) == (5, False)


def test_a_tick_with_nothing_due_asks_nobody(django_assert_num_queries, monkeypatch, valkey):
    now = time.monotonic()
    monkeypatch.setattr(ticking, "time", SimpleNamespace(monotonic=lambda: now))
    housekeeping.tick()
    monkeypatch.setattr(dispatch, "wake", lambda *_: pytest.fail("twice in a second"))
    with django_assert_num_queries(0):
        housekeeping.tick()


def test_a_worker_mends_everything_in_time(impatient, valkey):
    job = processing.claim(make_job().pk, "gone")
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    make_original(b"x", state=OriginalState.DELETED)
    housekeeping.tick()
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk]
    assert list(store(Role.WORKER).keys()) == []


def test_a_busy_worker_brings_back_what_others_lost(impatient, valkey):
    job = processing.claim(make_job().pk, "gone")
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    housekeeping.pulse()
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk]


def test_a_pulse_comes_at_most_every_ten_seconds(monkeypatch):
    pulses: list[int] = []
    now = [1000.0]
    monkeypatch.setattr(ticking, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(ticking, "do_if_due", lambda *_, **__: pulses.append(1))
    monkeypatch.setattr(dispatch, "wake", lambda *_: 0)
    for _ in range(200):  # a hundred seconds
        now[0] += 0.5
        housekeeping.pulse()
    assert 8 <= len(pulses) <= 10


@pytest.mark.parametrize("problem", [OperationalError("gone"), StorageUnavailable("x"), ZeroDivisionError()])
def test_a_pulse_never_costs_the_job_in_hand(monkeypatch, impatient, problem):
    def fail(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(ticking, "do_if_due", fail)
    housekeeping.pulse()


@pytest.mark.parametrize("problem", [queue.JobTimeout("alarm"), SystemExit(1), KeyboardInterrupt()])
def test_a_pulse_lets_the_alarm_through(monkeypatch, impatient, problem):
    def fail(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(dispatch, "wake", fail)
    with pytest.raises(type(problem)):
        housekeeping.pulse()


@pytest.mark.django_db(transaction=True)
def test_a_tick_survives_a_database_that_is_away(monkeypatch, impatient, unreachable_queue):
    make_original(b"x", state=OriginalState.DELETED)

    def away(*_: Any) -> None:
        raise OperationalError("the connection is closed")

    with connection.execute_wrapper(away):
        housekeeping.tick()
        housekeeping.pulse()
        outcomes = housekeeping.run()
    assert all(outcome.error for outcome in outcomes if not outcome.part.everywhere and outcome.part.name != "writes")
    housekeeping.tick()
    assert not Original.objects.exists()


def test_a_tick_survives_a_storage_that_is_away(monkeypatch, impatient, valkey):
    make_original(b"x", state=OriginalState.DELETED)

    def away(*_: object, **__: object) -> Any:
        raise StorageUnavailable("asking it")

    with monkeypatch.context() as patch:
        for method in ("delete", "keys", "sweep", "unfinished"):
            patch.setattr(store(Role.WORKER), method, away)
        housekeeping.tick()
    assert MaintenanceTask.objects.get(name="uploads").error
    later(HOUR)
    housekeeping.tick()
    assert not Original.objects.exists()
    assert MaintenanceTask.objects.get(name="uploads").error == ""


def test_the_ages_of_people_and_of_workers():
    assert Ages.of_leftovers(None) == Ages()
    assert Ages.of_leftovers(timedelta(0)) == Ages(leftover_s=0, deleting_s=0, orphan_s=0, staging_s=0)
    assert Ages.of_leftovers(HOUR) == Ages(leftover_s=3600)
