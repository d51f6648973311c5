"""Objects without a row go, in their time; whatever has one stays, whenever it got it."""

import bisect
import json
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.keys import image_of, original_key
from media_jobs.models import Derivative, MaintenanceTask, Tombstone
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import Finding, Observer, Outcome, Task
from media_jobs.services.housekeeping.running import run_if_due
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.states import DerivativeState, JobState
from tests.factories import make_derivative, make_job, make_original

pytestmark = pytest.mark.django_db

NOW = timedelta(0)


def objects() -> list[str]:
    return sorted(store(Role.WORKER).keys())


def store_object(key: str = "") -> str:
    key = key or f"thumb/{uuid.uuid4()}/{'0' * 32}.jpg"
    writer = store(Role.WORKER).begin(key, content_type="image/jpeg")
    writer.write(b"\xff\xd8")
    writer.commit()
    return key


def sweep(**how: Any) -> list[Outcome]:
    return housekeeping.run(only=[task_named("orphans"), task_named("tombstones")], **how)


def test_an_orphan_waits_seven_days():
    key = store_object()
    sweep()
    tombstone = Tombstone.objects.get()
    assert (tombstone.key, tombstone.deleting) == (key, False)
    for days, left in ((6, [key]), (8, [])):
        Tombstone.objects.update(created_at=timezone.now() - timedelta(days=days))
        sweep()
        assert objects() == left
    assert not Tombstone.objects.exists()


def test_a_listing_that_finds_no_time_goes_on_where_it_stopped(monkeypatch):
    kept = [make_derivative(make_job(state=JobState.DONE), state=DerivativeState.CURRENT).key for _ in range(4)]
    lost = [store_object() for _ in range(5)] + [store_object(original_key(uuid.uuid4(), "jpg"))]
    monkeypatch.setattr("media_jobs.services.housekeeping.orphans._LISTED_TOGETHER", 2)
    asked: list[str] = []
    keys = store(Role.WORKER).keys

    def listed(prefix: str, *, after: str = "") -> Any:
        for key in keys(prefix, after=after):
            asked.append(key)
            yield key

    monkeypatch.setattr(store(Role.WORKER), "keys", listed)
    task, runs = task_named("orphans"), 0
    while (outcome := run_if_due(task, limit_s=0)) and outcome.unfinished:
        runs += 1
        assert runs < 50
        assert len(asked) == 10 or not Tombstone.objects.exists()  # what is marked depends on the whole
    assert runs >= 5
    assert sorted(asked) == sorted([*kept, *lost])  # each but once
    assert run_if_due(task, limit_s=10) is None  # it is done
    assert set(Tombstone.objects.values_list("key", flat=True)) == set(lost)


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_run_with_a_million_listed_objects_stays_within_its_budget(monkeypatch):
    """By a clock that goes on by a tenth of a second with each 1,000 keys, as S3 lists them: a hundred seconds."""
    now, listed, limit_s = [0.0], [0], 10.0
    foreign = [f"full/holiday-{number:07}.jpg" for number in range(960_000)]
    ours = [f"thumb/{uuid.UUID(int=number)}/{'0' * 32}.jpg" for number in range(40_000)]
    stored = sorted([*foreign, *ours])

    def keys(prefix: str, *, after: str = "") -> Any:
        for key in stored[bisect.bisect_right(stored, after) :]:
            if not key.startswith(prefix):
                continue
            if listed[0] % 1000 == 0:
                now[0] += 0.1
            listed[0] += 1
            yield key

    monkeypatch.setattr(store(Role.WORKER), "keys", keys)
    monkeypatch.setattr("media_jobs.services.housekeeping.task.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("media_jobs.services.housekeeping.orphans.PREFIXES", ("full/", "thumb/"))
    task, runs_s = task_named("orphans"), []
    while True:
        began = now[0]
        outcome = run_if_due(task, limit_s=limit_s)
        assert outcome
        runs_s.append(now[0] - began)
        if not outcome.unfinished:
            break
        progress = MaintenanceTask.objects.get(name="orphans").progress
        assert len(json.dumps(progress)) < 500_000  # it is written after each run
    assert max(runs_s) <= limit_s + 0.2
    assert len(runs_s) >= 10
    assert listed[0] == len(stored)  # each once
    assert "40,000 stored objects" in outcome.error  # all of them have no row: see ForeignStorage


def test_what_is_seen_again_does_not_wait_anew():
    store_object()
    sweep()
    Tombstone.objects.update(created_at=timezone.now() - timedelta(days=6))
    sweep()
    assert Tombstone.objects.get().created_at < timezone.now() - timedelta(days=5)


@pytest.mark.parametrize("older_than", [None, timedelta(minutes=1)])
def test_no_age_but_zero_shortens_the_wait(older_than):
    key = store_object()
    sweep(older_than=older_than)
    Tombstone.objects.update(created_at=timezone.now() - timedelta(hours=1))
    sweep(older_than=older_than)
    assert objects() == [key]


def test_every_kind_of_object_is_found():
    image = uuid.uuid4()
    folders = ("full", "medium", "small", "thumb", "derived/web1920-webp")
    keys = [original_key(image, "jpg"), *(f"{folder}/{image}/abc.webp" for folder in folders)]
    assert [image_of(store_object(key)) for key in keys] == [image] * len(keys)
    sweep(older_than=NOW)
    assert objects() == []


@pytest.mark.parametrize("key", ["full/logo.jpg", "thumb/2019/08/gall.jpg", "originals/readme.txt", "backup/x.sql"])
def test_what_this_service_never_stored_is_not_its_to_delete(key):
    store_object(key)
    sweep(older_than=NOW)
    assert objects() == [key]
    assert image_of(key) is None


class Meanwhile(Observer):
    """Does something between finding and repairing."""

    def __init__(self, task: str, do: Any) -> None:
        self.name, self.do = task, do

    def found(self, task: Task, findings: list[Finding]) -> None:
        if task.name == self.name:
            self.do()


@pytest.mark.parametrize("task", ["orphans", "tombstones"])
def test_an_object_whose_row_appears_between_listing_and_deleting_stays(task):
    """The row comes after the storage was listed, and after the list was compared with the rows."""
    job = make_job(state=JobState.PROCESSING, worker="a", lease_until=timezone.now() + timedelta(hours=1))
    wanted = make_derivative(job)
    Derivative.objects.all().delete()

    def appear() -> None:
        wanted.save(force_insert=True)

    outcomes = sweep(older_than=NOW, observer=Meanwhile(task, appear))
    assert [outcome.found for outcome in outcomes] == [1, 1]
    assert outcomes[1].repaired == 0
    assert objects() == [wanted.key]
    assert not Tombstone.objects.exists()


def test_an_original_whose_row_appears_meanwhile_stays():
    original = make_original(b"x")
    original.delete()
    sweep(older_than=NOW, observer=Meanwhile("tombstones", lambda: original.save(force_insert=True)))
    assert objects() == [original.key]


def test_a_row_of_whatever_state_keeps_its_object():
    job = make_job(make_original(b"x"), state=JobState.DONE)
    for n, state in enumerate(DerivativeState):
        make_derivative(job, ("full", "medium", "small")[n], content=bytes([n]), state=state)
    before = objects()
    Tombstone.objects.bulk_create(
        Tombstone(key=key, created_at=timezone.now() - timedelta(days=8), deleting=n % 2 == 0)
        for n, key in enumerate(before)
    )
    sweep(older_than=NOW)
    assert objects() == before
    assert not Tombstone.objects.exists()


def test_the_storage_of_another_database_is_not_touched():
    kept = [make_original(bytes([n])).key for n in range(50)]
    orphans = [store_object() for _ in range(51)]
    marked, _ = sweep(older_than=NOW)
    assert "looks like the storage of another database" in marked.error
    assert (marked.found, marked.repaired) == (0, 0)
    assert not Tombstone.objects.exists()
    assert objects() == sorted(kept + orphans)


def test_half_of_the_objects_or_few_of_them_may_be_orphans():
    kept = [make_original(bytes([n])).key for n in range(51)]
    for _ in range(51):
        store_object()
    sweep(older_than=NOW)
    assert objects() == sorted(kept)


def test_a_small_storage_may_hold_nothing_but_orphans():
    for _ in range(100):
        store_object()
    sweep(older_than=NOW)
    assert objects() == []
