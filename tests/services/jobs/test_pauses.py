"""A worker that met an outage takes no more jobs until it is over."""

import math
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from media_jobs.adapters import database
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Job, MaintenanceTask
from media_jobs.runtime import worker_loop
from media_jobs.services.housekeeping import TaskSchedule
from media_jobs.services.jobs import dispatch, outage, processing
from media_jobs.services.jobs.worker import duty
from media_jobs.states import JobState
from tests import images
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(worker_loop, "LOOK_EVERY_S", 0.01)
    yield
    duty.hand_back_at_s = math.inf
    duty.wary = False


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


def told() -> list[tuple[str, str]]:
    with capture_logs() as logs:
        worker_loop.between_jobs(TaskSchedule(notify=dispatch.wake))
    return [
        (entry["event"], entry.get("reason") or entry["after"])
        for entry in logs
        if entry["event"] in ("paused", "resumed")
    ]


def test_a_worker_whose_attempt_failed_for_the_storage_waits_until_that_is_back(monkeypatch, away):
    def fail(*args: object, **kwargs: object) -> None:
        raise StorageUnavailable("reading a file")

    job = make_job(make_original(images.jpeg()))
    monkeypatch.setattr(store(Role.WORKER), "fetch", fail)
    processing.run(job.pk)
    away(3)
    assert told() == [("paused", "storage_unavailable"), ("resumed", "storage_unavailable")]
    assert told() == []


def test_a_worker_that_has_no_reason_to_does_not_ask(away):
    away(math.inf)
    assert told() == []


def test_a_failure_that_was_not_an_outage_causes_no_pause():
    duty.wary = True
    assert told() == []
    assert not duty.wary


def test_too_little_room_for_temporary_files_is_waited_for(settings, monkeypatch):
    duty.wary = True
    settings.MIN_FREE_DISK_BYTES = 2**62
    monkeypatch.setattr(store(Role.WORKER), "check", lambda: None)
    assert outage.reason() == "disk_full"

    def free_the_disk(seconds: float) -> None:
        settings.MIN_FREE_DISK_BYTES = 0

    monkeypatch.setattr(worker_loop, "_sleep", free_the_disk)
    assert told() == [("paused", "disk_full"), ("resumed", "disk_full")]


def test_a_database_that_is_away_is_waited_for(monkeypatch):
    answers = iter([False, True])
    monkeypatch.setattr(database, "is_available", lambda: next(answers))
    duty.wary = True
    assert told() == [("paused", "database_unavailable"), ("resumed", "database_unavailable")]


def test_a_worker_that_waits_stops_when_told_to(away):
    away(math.inf, then=duty.stop)
    duty.wary = True
    assert told() == [("paused", "storage_unavailable")]
    assert duty.wary


def test_a_worker_that_waits_still_mends_what_others_left(away):
    lost = make_job(
        state=JobState.PROCESSING, worker="dead", attempt=1, lease_until=timezone.now() + timedelta(seconds=60)
    )

    schedule = TaskSchedule(notify=dispatch.wake)

    def die() -> None:
        Job.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        MaintenanceTask.objects.all().delete()
        schedule._timers.restart("leases", 0)

    away(2, then=die)
    duty.wary = True
    worker_loop.between_jobs(schedule)
    lost.refresh_from_db()
    assert lost.state == JobState.QUEUED
