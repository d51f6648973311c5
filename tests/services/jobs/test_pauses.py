"""A worker that met an outage takes no more jobs until it is over."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from media_jobs.adapters import database
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Job, MaintenanceTask
from media_jobs.runtime.workers import loop as worker_loop
from media_jobs.runtime.workers.loop import WorkerLoop
from media_jobs.services.housekeeping import TaskSchedule
from media_jobs.services.jobs import dispatch, outage
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import JobState
from tests import images, working
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(monkeypatch) -> None:
    monkeypatch.setattr(worker_loop, "LOOK_EVERY_S", 0.01)


@pytest.fixture
def worker() -> Worker:
    return workers.current()


@pytest.fixture
def schedule() -> TaskSchedule:
    return TaskSchedule(notify=dispatch.top_up)


@pytest.fixture
def loop(worker, schedule, valkey) -> WorkerLoop:
    return WorkerLoop(worker, repair=schedule.run_due_tasks)


@pytest.fixture
def away(monkeypatch) -> Callable[..., None]:
    """The storage does not answer so many times; `then` happens at the first of them."""

    def use(times: float, then: Callable[[], object] = lambda: None) -> None:
        asked: list[None] = []

        def check() -> None:
            asked.append(None)
            if len(asked) == 1:
                then()
            if len(asked) <= times:
                raise StorageUnavailable("asking for a sign of life")

        monkeypatch.setattr(store(Role.WORKER), "check", check)

    return use


def logged(loop: WorkerLoop) -> list[tuple[str, str]]:
    with capture_logs() as logs:
        loop.between_jobs()
    return [
        (entry["event"], entry.get("reason") or entry["after"])
        for entry in logs
        if entry["event"] in ("paused", "resumed")
    ]


def test_a_worker_whose_attempt_failed_for_the_storage_waits_until_that_is_back(monkeypatch, away, loop, worker):
    def fail(*args: object, **kwargs: object) -> None:
        raise StorageUnavailable("reading a file")

    job = make_job(make_original(images.jpeg()))
    monkeypatch.setattr(store(Role.WORKER), "fetch", fail)
    working.run(job.pk)
    away(3)
    assert logged(loop) == [("paused", "storage_unavailable"), ("resumed", "storage_unavailable")]
    assert logged(loop) == []


def test_a_worker_that_has_no_reason_to_does_not_ask(away, loop, worker):
    away(math.inf)
    assert logged(loop) == []


def test_a_failure_that_was_not_an_outage_causes_no_pause(loop, worker):
    worker.suspects_outage = True
    assert logged(loop) == []
    assert not worker.suspects_outage


def test_too_little_room_for_temporary_files_is_waited_for(settings, monkeypatch, loop, worker):
    worker.suspects_outage = True
    settings.MIN_FREE_DISK_BYTES = 2**62
    monkeypatch.setattr(store(Role.WORKER), "check", lambda: None)
    assert outage.reason() == "disk_full"

    def free_the_disk(seconds: float) -> None:
        settings.MIN_FREE_DISK_BYTES = 0

    monkeypatch.setattr(loop, "_sleep", free_the_disk)
    assert logged(loop) == [("paused", "disk_full"), ("resumed", "disk_full")]


def test_a_database_that_is_away_is_waited_for(monkeypatch, loop, worker):
    answers = iter([False, True])
    monkeypatch.setattr(database, "is_available", lambda: next(answers))
    worker.suspects_outage = True
    assert logged(loop) == [("paused", "database_unavailable"), ("resumed", "database_unavailable")]


def test_a_worker_that_waits_stops_when_asked_to(away, loop, worker):
    away(math.inf, then=worker.stop)
    worker.suspects_outage = True
    assert logged(loop) == [("paused", "storage_unavailable")]
    assert worker.suspects_outage


def test_a_worker_that_waits_still_repairs_what_others_left(away, schedule, loop, worker):
    lost = make_job(
        state=JobState.PROCESSING, worker="dead", attempt=1, lease_until=timezone.now() + timedelta(seconds=60)
    )

    def die() -> None:
        Job.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        MaintenanceTask.objects.all().delete()
        schedule._timers.restart("leases", 0)

    away(2, then=die)
    worker.suspects_outage = True
    loop.between_jobs()
    lost.refresh_from_db()
    assert lost.state == JobState.QUEUED
