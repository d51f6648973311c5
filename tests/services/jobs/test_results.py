"""What is asked of a render, and what it tells and costs, stays in the database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from media_jobs.errors import DecoderFailed, StorageUnavailable
from media_jobs.models import Job, Original
from media_jobs.pipeline.values import Focus, Keep, Overrides, Request, Rights, Usage
from media_jobs.services.jobs import worker as workers
from media_jobs.states import JobState
from tests import images, working
from tests.factories import make_job, make_original, make_rendered

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(320, 240, facts=images.CAMERA)


def run(job: Job) -> Job:
    working.run(job.pk)
    return Job.objects.get(pk=job.pk)


class Decoder:
    """Stands in for the sandbox: notes what it is asked and answers what it was given."""

    pid = None

    def __init__(self, answer=None) -> None:
        self.asked: Request | None = None
        self.usage = Usage(wall_ms=210, cpu_ms=190, peak_bytes=61_000_000)
        self._answer = answer

    def render(self, request, **_):
        self.asked = request
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer or make_rendered()


@pytest.fixture
def decoder(monkeypatch):
    def use(answer=None) -> Decoder:
        stand_in = Decoder(answer)
        monkeypatch.setattr(workers.current(), "sandbox", stand_in)
        return stand_in

    return use


def spent(job: Job) -> tuple[int | None, ...]:
    return job.render_ms, job.cpu_ms, job.peak_memory_bytes


def test_settings_decide_what_may_be_written_down_and_the_uploader_before_them(decoder, settings):
    settings.PRESERVE_TIMESTAMPS, settings.PRESERVE_CAMERA_INFO = False, False
    settings.PRESERVE_GPS, settings.PRESERVE_DEVICE_SERIAL = True, True
    asked = decoder()
    run(make_job(make_original()))
    assert asked.asked.keep == Keep(timestamps=False, camera_info=False, gps=True, device_serial=True)
    run(make_job(make_original(preserve={"gps": False, "camera_info": True})))
    assert asked.asked.keep == Keep(timestamps=False, camera_info=True, gps=False, device_serial=True)


def test_a_retry_sees_the_picture_as_its_uploader_did(decoder):
    asked = decoder(StorageUnavailable("x"))
    job = make_job(make_original(rotation=90, focus_x=0.5, focus_y=0.25))
    for _ in range(2):
        Job.objects.update(not_before=timezone.now() - timedelta(seconds=1))
        run(job)
        assert asked.asked.overrides == Overrides(90, Focus(0.5, 0.25))
        asked.asked = None


@pytest.mark.parametrize("highest", ["MAX_UPLOAD_BYTES", "RAW_MAX_UPLOAD_BYTES", "INGEST_MAX_UPLOAD_BYTES"])
def test_the_decoder_takes_files_of_any_apis_limit(decoder, settings, highest):
    settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES, settings.INGEST_MAX_UPLOAD_BYTES = 5, 4, 3
    setattr(settings, highest, 7)
    asked = decoder()
    run(make_job(make_original()))
    assert asked.asked.limits.bytes == 7


def test_what_the_picture_says_is_stored_with_it(decoder):
    rights = Rights("Ada", "Archive", "© Ada", "https://example.org/by", "https://example.org/made-by-ai")
    facts = {"captureDate": "2024-05-01", "gps": {"latitude": 47.4}, "orientation": 6, "somethingNew": "x"}
    decoder(make_rendered(format="dng", width_px=30, height_px=40, orientation=6, metadata=facts, rights=rights))
    run(make_job(make_original(format="tiff")))
    original = Original.objects.get()
    assert (original.format, original.width_px, original.height_px, original.orientation) == ("dng", 30, 40, 6)
    assert original.rights == rights
    assert (original.placeholder, original.dominant_colour) == ("data:image/webp;base64,UklGRg==", "#336699")
    # What nobody has called harmless is private.
    assert original.metadata == {"captureDate": "2024-05-01"}
    assert original.private_metadata == {"gps": {"latitude": 47.4}, "somethingNew": "x"}


def test_position_and_serial_number_are_kept_apart_and_only_on_demand(photo):
    run(make_job(make_original(photo)))
    usual = Original.objects.get()
    assert usual.metadata["captureDate"] == "2024-05-01T12:30:00+02:00"
    assert usual.private_metadata == {}
    assert "47.37" not in str(list(Original.objects.values()))
    usual.delete()
    run(make_job(make_original(photo, preserve={"gps": True, "device_serial": True})))
    asked_for = Original.objects.get()
    assert asked_for.metadata == usual.metadata
    assert "47.37" in str(asked_for.private_metadata)
    assert "SN-4711-0815" in str(asked_for.private_metadata)


def test_the_receipt_is_stored_with_the_job_and_covers_every_output(photo):
    job = run(make_job(make_original(photo)))
    assert job.receipt
    assert set(job.receipt) == {"found", "kept", "dropped", "outputs"}
    assert set(job.receipt["outputs"]) == set(job.wanted)
    assert job.receipt["found"]
    assert "SN-4711-0815" not in str(job.receipt)


def test_what_a_picture_cost_is_recorded_when_it_is_done(photo):
    job = run(make_job(make_original(photo)))
    assert all(spent(job))
    data = job.events.get(type="done").data
    assert (data["render_ms"], data["cpu_ms"], data["peak_memory_bytes"]) == spent(job)


def test_what_a_picture_cost_is_recorded_when_it_is_refused():
    job = run(make_job(make_original(images.cut(images.jpeg(320, 240)))))
    assert job.state == JobState.FAILED
    assert None not in spent(job)
    assert job.events.get(type="failed").data["peak_memory_bytes"] == job.peak_memory_bytes


def test_what_a_picture_cost_is_recorded_when_it_kills_the_decoder(decoder):
    decoder(DecoderFailed("it crashed, signal 11"))
    job = run(make_job(make_original()))
    assert (job.state, spent(job)) == (JobState.QUEUED, (210, 190, 61_000_000))
    assert job.events.get(type="retry_due").data["cpu_ms"] == 190


def test_the_cost_of_one_job_is_not_kept_with_the_next_which_never_was_rendered(decoder):
    decoder()
    run(make_job(make_original()))
    job = run(make_job(make_original(stored=False)))
    assert (job.code, spent(job)) == ("object_missing", (None, None, None))
