"""Who lost its job leaves nothing behind, and takes nothing away from the winner, who makes the very same files."""

import hashlib
import random
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.files import FileStore
from media_jobs.callers import ANONYMOUS
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Derivative, Job, Original, Tombstone
from media_jobs.ports import Heartbeat, Outgoing
from media_jobs.services import housekeeping, object_deletion
from media_jobs.services.housekeeping.tasks import LEASES
from media_jobs.services.jobs import lifecycle
from media_jobs.services.jobs import worker as workers
from media_jobs.states import DerivativeState, JobState
from tests import images, working
from tests.factories import make_job, make_original
from tests.services.jobs.threads import (
    InThread,
    PutOne,
    around_each_put,
    at_work,
    decoders_of_threads,
    gate_around_put,
    wait_until,
)

pytestmark = pytest.mark.django_db(transaction=True)

_LONG_AGO = timedelta(minutes=10)


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(640, 480)


@pytest.fixture(autouse=True)
def _decoders_of_threads(monkeypatch) -> Iterator[None]:
    with decoders_of_threads(monkeypatch):
        yield


def expire(job: Job) -> None:
    """The lease runs out, and somebody notices."""
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    housekeeping.run(only=[LEASES], wait_s=10)


def state(job: Job) -> str:
    return Job.objects.values_list("state", flat=True).get(pk=job.pk)


def assert_nothing_half_done() -> None:
    """Every current derivative is there, whole; nothing is there that no row names; nobody waits for anything."""
    wanted = {d.key: d.sha256 for d in Derivative.objects.filter(state=DerivativeState.CURRENT)}
    assert not Derivative.objects.filter(state=DerivativeState.PENDING).exists()
    assert not Tombstone.objects.exists()
    objects = store(Role.WORKER)
    kept = {d.key for d in Derivative.objects.all()} | {original.key for original in Original.objects.all()}
    assert isinstance(objects, FileStore)
    assert set(objects.keys()) == kept
    for key, sha256 in wanted.items():
        assert hashlib.sha256(objects.path(key).read_bytes()).hexdigest() == sha256
    assert objects.unfinished() == []
    assert list(workers.current().workspace.path.glob("job-*")) == []


@pytest.mark.parametrize("after", [False, True])
def test_a_frozen_worker_that_finishes_late_harms_nobody(photo, monkeypatch, after):
    job = make_job(make_original(photo))
    with gate_around_put(monkeypatch, after=after) as gate:
        frozen = at_work(job.pk)
        gate.wait_for_arrival()
        expire(job)
        working.run(job.pk)
        assert state(job) == JobState.DONE
        gate.open()
        frozen.ended()
    assert Derivative.objects.filter(state=DerivativeState.CURRENT, job=job).count() == 4
    assert [event.type for event in job.events.all()].count("done") == 1
    assert_nothing_half_done()


def test_a_frozen_worker_that_finishes_first_of_all_still_does_not_count(photo, monkeypatch):
    """The second one is held up while the first clears away: what the second has stored by then must stay."""
    job = make_job(make_original(photo))
    with gate_around_put(monkeypatch, after=True) as first:
        frozen = at_work(job.pk)
        first.wait_for_arrival()
        expire(job)
        with gate_around_put(monkeypatch, after=True) as second:
            winner = at_work(job.pk)
            second.wait_for_arrival()
            first.open()
            frozen.ended()
            second.open()
            winner.ended()
    assert state(job) == JobState.DONE
    assert_nothing_half_done()


@pytest.mark.parametrize("after", [False, True])
def test_of_a_job_that_is_cancelled_while_it_stores_nothing_stays(photo, monkeypatch, after):
    job = make_job(make_original(photo))
    with gate_around_put(monkeypatch, after=after, with_heartbeat=True) as gate:
        storing = at_work(job.pk)
        gate.wait_for_arrival()
        lifecycle.cancel(job.pk, actor=ANONYMOUS)
        storing.ended()  # nobody opened the gate: it went by itself
    assert state(job) == JobState.CANCELLED
    assert not Derivative.objects.exists()
    assert_nothing_half_done()


def test_of_an_attempt_whose_storage_fails_nothing_stays(photo, monkeypatch):
    job = make_job(make_original(photo))
    stored: list[str] = []

    def fail_at_last(put: PutOne, outgoing: Outgoing, heartbeat: Heartbeat) -> None:
        if outgoing.key.startswith("thumb/"):
            wait_until(lambda: len(stored) == 3)
            raise StorageUnavailable("storing a file")
        put(outgoing, heartbeat)
        stored.append(outgoing.key)

    around_each_put(monkeypatch, fail_at_last)
    working.run(job.pk)
    assert state(job) == JobState.QUEUED
    assert len(stored) == 3
    assert not Derivative.objects.exists()
    assert_nothing_half_done()


def test_of_two_jobs_over_one_original_the_cancelled_one_takes_nothing_from_the_other(photo, monkeypatch):
    original = make_original(photo)
    deleting, kept = make_job(original), make_job(original)
    with gate_around_put(monkeypatch, after=True, with_heartbeat=True) as gate:
        storing = at_work(deleting.pk)
        gate.wait_for_arrival()
        with gate_around_put(monkeypatch, after=True) as other:
            also_storing = at_work(kept.pk)
            other.wait_for_arrival()
            lifecycle.cancel(deleting.pk, actor=ANONYMOUS)
            storing.ended()
            other.open()
            also_storing.ended()
    assert state(kept) == JobState.DONE
    assert Derivative.objects.filter(job=kept, state=DerivativeState.CURRENT).count() == 4
    assert_nothing_half_done()


def test_what_is_stored_after_housekeeping_deleted_its_row_goes_as_well(photo, monkeypatch):
    job = make_job(make_original(photo))
    with gate_around_put(monkeypatch, after=False) as gate:
        frozen = at_work(job.pk)
        gate.wait_for_arrival()
        lifecycle.cancel(job.pk, actor=ANONYMOUS)
        for left in Derivative.objects.filter(job=job):
            object_deletion.delete_derivative(left)
        gate.open()
        frozen.ended()
    assert_nothing_half_done()


def test_a_key_that_somebody_is_just_removing_is_waited_for(photo, monkeypatch):
    job = make_job(make_original(photo))
    working.run(job.pk)
    key = Derivative.objects.filter(rendition="thumb").values_list("key", flat=True).get()
    Derivative.objects.filter(rendition="thumb").delete()
    Tombstone.objects.create(key=key, deleting=True)
    again = make_job(job.original)

    def remove() -> None:
        wait_until(lambda: Job.objects.get(pk=again.pk).progress == 80)
        store(Role.WORKER).delete(key)
        Tombstone.objects.all().delete()

    removing = InThread(remove)
    working.run(again.pk)
    removing.ended()
    again.refresh_from_db()
    assert (again.state, again.attempt) == (JobState.DONE, 1)
    assert_nothing_half_done()


def test_a_key_whose_remover_died_is_removed_and_made_anew(photo):
    job = make_job(make_original(photo))
    working.run(job.pk)
    key = Derivative.objects.filter(rendition="thumb").values_list("key", flat=True).get()
    Derivative.objects.filter(rendition="thumb").delete()
    Tombstone.objects.create(key=key, deleting=True, created_at=timezone.now() - _LONG_AGO)
    again = make_job(job.original)
    working.run(again.pk)
    assert state(again) == JobState.DONE
    assert_nothing_half_done()


@pytest.mark.slow
def test_many_at_once_over_one_original_leave_nothing_half_done(photo, monkeypatch):
    """Cancelled, failing, expired and undisturbed ones, with housekeeping all the time."""
    original = make_original(photo)
    failing = True

    def sometimes(put: PutOne, outgoing: Outgoing, heartbeat: Heartbeat) -> None:
        time.sleep(random.uniform(0, 0.05))
        if failing and random.random() < 0.1:
            raise StorageUnavailable("storing a file")
        put(outgoing, heartbeat)

    around_each_put(monkeypatch, sometimes)
    for _ in range(3):
        jobs = [make_job(original) for _ in range(4)]
        threads = [at_work(job.pk) for job in jobs]
        time.sleep(random.uniform(0.3, 0.6))
        for left in Derivative.objects.filter(job=jobs[0], state=DerivativeState.PENDING):
            object_deletion.delete_derivative(left)
        for job, disturb in zip(jobs, (cancel, expire, cancel), strict=False):
            disturb(job)
        for thread in threads:
            thread.ended()
    failing = False
    for job in Job.objects.filter(state=JobState.QUEUED):
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - _LONG_AGO)
        working.run(job.pk)
    assert set(Job.objects.values_list("state", flat=True)) <= {JobState.DONE, JobState.CANCELLED}
    assert_nothing_half_done()


def cancel(job: Job) -> None:
    lifecycle.cancel_all(Job.objects.filter(pk=job.pk), actor=ANONYMOUS)
