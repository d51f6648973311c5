"""What needs much memory or time is rendered alone on its host, with more of both."""

from collections.abc import Iterator

import pytest

from media_jobs.adapters.decoder.host_lock import HostLock
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.models import Job
from media_jobs.pipeline.values import Usage
from media_jobs.ports import no_heartbeat
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import JobState, Lane
from tests import images, working
from tests.factories import make_job, make_original, make_rendered
from tests.services.jobs.threads import at_work, decoders_of_threads, wait_until

MB = 1_048_576


class Decoder:
    """Stands in for a sandbox: notes what it is asked, and whether it was closed."""

    usage = Usage(wall_ms=1, cpu_ms=1, peak_bytes=1)
    pid = None

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []
        self.closed = False

    def render(self, request, *, timeout_s, **_):
        self.asked.append((request.limits.memory_bytes, timeout_s))
        return make_rendered()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def made(monkeypatch) -> Iterator[list[Sandbox]]:
    with decoders_of_threads(monkeypatch) as made:
        yield made


@pytest.mark.django_db
@pytest.mark.parametrize(("lane", "memory_bytes", "timeout_s"), [("bulk", 700 * MB, 50), ("heavy", 900 * MB, 150)])
def test_the_lane_decides_what_a_picture_may_take(monkeypatch, settings, lane, memory_bytes, timeout_s):
    settings.SANDBOX_MEMORY_BYTES, settings.HEAVY_MEMORY_BYTES, settings.RENDER_TIMEOUT_S = 700 * MB, 900 * MB, 50
    decoders = {"bulk": Decoder(), "heavy": Decoder()}
    monkeypatch.setattr(workers.current(), "sandbox", decoders["bulk"])
    monkeypatch.setattr(Worker, "new_sandbox", lambda *_: decoders["heavy"])
    job = make_job(make_original(), lane=lane)
    working.run(job.pk)
    assert decoders[lane].asked == [(memory_bytes, timeout_s)]
    assert decoders["heavy"].closed == (lane == "heavy")
    assert not decoders["bulk"].closed


@pytest.mark.django_db
def test_a_picture_too_large_for_a_worker_is_done_on_the_heavy_lane(monkeypatch, settings):
    settings.SANDBOX_MEMORY_BYTES = 8 * MB
    heavy: list[Sandbox] = []
    make = Worker.new_sandbox

    def make_and_keep(worker: Worker, memory_bytes: int) -> Sandbox:
        decoder = make(worker, memory_bytes)
        if memory_bytes == settings.HEAVY_MEMORY_BYTES:
            heavy.append(decoder)
        return decoder

    monkeypatch.setattr(Worker, "new_sandbox", make_and_keep)
    job = make_job(make_original(images.jpeg(3000, 2000, progressive=True)))
    working.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.lane, job.code) == (JobState.QUEUED, Lane.HEAVY, "too_much_memory")
    working.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    assert [decoder.pid for decoder in heavy] == [None]


@pytest.mark.django_db(transaction=True)
def test_nobody_renders_beside_a_heavy_picture(settings, made):
    job = make_job(make_original(images.jpeg()))
    with HostLock(settings.WORK_DIR).exclusive(no_heartbeat):
        waiting = at_work(job.pk)
        wait_until(lambda: Job.objects.get(pk=job.pk).stage == "rendering")
        assert not made
    waiting.ended()
    job.refresh_from_db()
    assert job.state == JobState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_heavy_picture_waits_until_nobody_else_renders(settings):
    job = make_job(make_original(images.jpeg()), lane=Lane.HEAVY)
    with HostLock(settings.WORK_DIR).shared(no_heartbeat):
        waiting = at_work(job.pk)
        wait_until(lambda: Job.objects.get(pk=job.pk).stage == "rendering")
        waiting.join(0.5)
        assert Job.objects.get(pk=job.pk).stage == "rendering"
    waiting.ended()
    job.refresh_from_db()
    assert job.state == JobState.DONE
