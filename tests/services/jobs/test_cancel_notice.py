"""A worker in the middle of a picture notices, within moments, that it must not go on with it."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from media_jobs.adapters.decoder.host_lock import HostLock
from media_jobs.adapters.decoder.process import DecoderProcess
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Derivative, Job
from media_jobs.ports import no_heartbeat
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping.tasks import LEASES
from media_jobs.services.jobs import dispatch, lifecycle, processing, worker
from media_jobs.services.jobs import worker as workers
from media_jobs.states import JobState, Lane
from tests import images, shared_decoder, working
from tests.factories import make_job, make_original
from tests.services.jobs.threads import InThread, at_work, decoders_of_threads, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(640, 480)


@pytest.fixture
def made(monkeypatch) -> Iterator[list[Sandbox]]:
    with decoders_of_threads(monkeypatch) as made:
        yield made


@pytest.fixture
def stuck(photo, made, monkeypatch) -> tuple[Job, InThread, int]:
    """A job whose decoder has stopped moving, the worker that waits for it, and the decoder's process."""
    stopped: list[int] = []
    send = DecoderProcess._signal

    def send_and_stop(decoder: DecoderProcess, number: signal.Signals) -> None:
        send(decoder, number)
        if number == signal.SIGCONT and not stopped:  # it has a picture to look at, and is not told of which yet
            send(decoder, signal.SIGSTOP)
            stopped.append(decoder.pid)

    monkeypatch.setattr(DecoderProcess, "_signal", send_and_stop)
    job = make_job(make_original(photo))
    thread = at_work(job.pk)
    wait_until(lambda: stopped)
    return job, thread, stopped[0]


def is_gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def lease_ends_after(job: Job, moment: datetime) -> bool:
    return Job.objects.filter(pk=job.pk, lease_until__gt=moment).exists()


def assert_nothing_is_left(job: Job) -> None:
    assert set(store(Role.WORKER).keys()) == {job.original.key}
    assert not Derivative.objects.exists()
    assert list(workers.current().workspace.path.glob("job-*")) == []


def test_a_cancelled_jobs_decoder_is_killed(stuck):
    job, thread, pid = stuck
    lifecycle.cancel(job.pk, actor=ANONYMOUS)
    thread.ended()
    assert is_gone(pid)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.CANCELLED, 1)
    assert_nothing_is_left(job)


def test_a_lost_jobs_decoder_is_killed(stuck):
    job, thread, pid = stuck
    Job.objects.filter(pk=job.pk).update(worker="another", attempt=2)
    thread.ended()
    assert is_gone(pid)
    job.refresh_from_db()
    assert (job.state, job.worker) == (JobState.PROCESSING, "another")
    assert_nothing_is_left(job)


def test_a_lease_is_renewed_while_its_worker_waits(stuck, settings):
    settings.LEASE_S = 5
    job, thread, pid = stuck
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() + timedelta(seconds=4))
    for _ in range(2):
        lease_until = Job.objects.get(pk=job.pk).lease_until
        assert lease_until
        wait_until(partial(lease_ends_after, job, lease_until))
    housekeeping.run(only=[LEASES], wait_s=10)
    os.kill(pid, signal.SIGCONT)
    thread.ended()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 1)


def test_a_busy_worker_sees_to_the_jobs_of_the_dead(stuck, monkeypatch):
    _, thread, pid = stuck
    workers.current().run_urgent_tasks = housekeeping.TaskSchedule(notify=dispatch.top_up).run_urgent_tasks
    lost = make_job(
        state=JobState.PROCESSING, worker="dead", attempt=1, lease_until=timezone.now() - timedelta(seconds=9)
    )
    wait_until(lambda: Job.objects.get(pk=lost.pk).state == JobState.QUEUED)
    os.kill(pid, signal.SIGCONT)
    thread.ended()


@pytest.mark.slow
def test_a_stopping_workers_job_is_handed_back_and_done_by_the_next(stuck, made, monkeypatch):
    job, thread, pid = stuck
    later = make_job(make_original(b"\xff\xd8\xff another"), owner=job.owner)
    monkeypatch.setattr(worker, "FINISH_WITHIN_S", 0.5)
    workers.current().stop()
    thread.ended()
    assert is_gone(pid)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.max_attempts, job.worker) == (JobState.QUEUED, 1, 4, "")
    assert Job.objects.filter(state=JobState.QUEUED).order_by("queue_position", "pk").first() == job != later
    assert not Derivative.objects.exists()
    shared_decoder.renew_worker()
    working.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    events = list(job.events.values_list("type", flat=True))
    assert events[:4] == ["queued", "claimed", "stage", "handed_back"]


def test_a_job_that_is_done_in_time_is_not_handed_back(photo, made):
    job = make_job(make_original(photo))
    processing.process_next(Lane.INTERACTIVE, workers.current(), claimed=lambda _: workers.current().stop())
    job.refresh_from_db()
    assert (job.state, job.max_attempts) == (JobState.DONE, 3)


def test_who_waits_to_be_alone_on_its_host_can_be_cancelled(photo, settings):
    job = make_job(make_original(photo), lane=Lane.HEAVY)
    with HostLock(settings.WORK_DIR).shared(no_heartbeat):
        waiting = at_work(job.pk)
        wait_until(lambda: Job.objects.get(pk=job.pk).stage == "rendering")
        lifecycle.cancel(job.pk, actor=ANONYMOUS)
        waiting.ended()
    assert_nothing_is_left(job)
