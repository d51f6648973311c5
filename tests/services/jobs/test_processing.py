"""A job's whole way through a worker, with the real sandbox and the real file store."""

from datetime import timedelta

import pytest
from django.utils import timezone

from media_jobs.adapters import queue
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import staff
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Derivative, Job
from media_jobs.services.jobs import lifecycle, publishing
from media_jobs.services.jobs import worker as workers
from media_jobs.states import DerivativeState, JobState, OriginalState, Stage
from tests import images, working
from tests.factories import make_job, make_original
from tests.formats import raws

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(1500, 1000)


def run(job: Job) -> Job:
    working.run(job.pk)
    return Job.objects.get(pk=job.pk)


def test_a_photo_becomes_exactly_the_renditions_of_its_preset(photo):
    job = run(make_job(make_original(photo)))
    assert (job.state, job.stage, job.progress, job.attempt) == (JobState.DONE, Stage.FINISHED, 100, 1)
    made = {d.rendition: d for d in Derivative.objects.filter(state=DerivativeState.CURRENT)}
    assert {name: (d.width_px, d.height_px) for name, d in made.items()} == {
        "full": (1500, 1000),
        "medium": (1024, 683),
        "small": (512, 341),
        "thumb": (200, 200),
    }
    assert set(store(Role.WORKER).keys()) == {d.key for d in made.values()} | {job.original.key}
    job.original.refresh_from_db()
    assert (job.original.width_px, job.original.height_px) == (1500, 1000)


def test_only_the_wanted_renditions_are_touched(photo):
    original = make_original(photo)
    run(make_job(original))
    before = {d.rendition: d.job_id for d in Derivative.objects.all()}
    again = run(make_job(original, wanted=["thumb"]))
    after = {d.rendition: d.job_id for d in Derivative.objects.all()}
    assert after == {**before, "thumb": again.pk}


def test_a_second_delivery_of_a_done_job_does_nothing(photo):
    job = run(make_job(make_original(photo)))
    events = job.last_event
    assert run(job).last_event == events


def test_the_same_again_gives_the_same_keys_and_one_row_each(photo):
    original = make_original(photo)
    run(make_job(original))
    keys = set(Derivative.objects.values_list("key", flat=True))
    run(make_job(original))
    assert set(Derivative.objects.values_list("key", flat=True)) == keys
    assert Derivative.objects.count() == 4


def test_a_file_that_does_not_decode_fails_at_once_with_its_code():
    job = run(make_job(make_original(b"\xff\xd8\xff\xe0 not a picture at all")))
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert job.code in {"undecodable", "truncated"}
    assert job.detail.endswith(".")
    assert job.lease_until is None
    assert list(store(Role.WORKER).keys()) == [job.original.key]


def test_a_turn_that_was_asked_for_turns_the_derivatives(photo):
    run(make_job(make_original(photo, rotation=90)))
    full = Derivative.objects.get(rendition="full")
    assert (full.width_px, full.height_px) == (1000, 1500)


def test_a_raw_file_becomes_derivatives_of_its_preview():
    job = run(make_job(make_original(raws.dng(images.jpeg(640, 480)), format="tiff")))
    assert job.state == JobState.DONE
    job.original.refresh_from_db()
    assert job.original.format == "dng"  # by all of its bytes
    made = {d.rendition: (d.width_px, d.height_px) for d in Derivative.objects.all()}
    assert (made["full"], made["small"]) == ((640, 480), (512, 384))


def test_the_setting_says_how_small_a_raw_file_s_preview_may_be(settings):
    raw = raws.nef(images.jpeg(800, 600))
    settings.RAW_MIN_PREVIEW_PX = 801
    job = run(make_job(make_original(raw)))
    assert (job.state, job.code) == (JobState.FAILED, "raw_no_preview")
    assert "800×600" in job.detail
    assert "801" in job.detail
    settings.RAW_MIN_PREVIEW_PX = 800
    assert run(make_job(make_original(raw))).state == JobState.DONE


def test_a_cut_raw_file_fails_although_a_smaller_preview_is_whole():
    small, large = images.jpeg(700, 525), images.jpeg(1200, 900)
    job = run(make_job(make_original(raws.rw2(large, second=small)[:-500])))
    assert (job.state, job.code) == (JobState.FAILED, "truncated")


def test_a_raw_file_without_a_preview_fails_with_its_code_and_stays():
    job = run(make_job(make_original(raws.dng())))
    assert (job.state, job.code) == (JobState.FAILED, "raw_no_preview")
    assert list(store(Role.WORKER).keys()) == [job.original.key]


def test_an_original_that_is_gone_is_the_storages_fault():
    job = run(make_job(make_original(stored=False)))
    assert (job.state, job.code) == (JobState.QUEUED, "object_missing")


def test_an_original_that_changed_is_never_rendered(photo):
    job = run(make_job(make_original(photo, sha256="0" * 64)))
    assert job.code == "original_changed"
    assert not Derivative.objects.exists()


def test_a_storage_that_is_away_means_a_later_retry_and_then_failure(photo, monkeypatch):
    job = make_job(make_original(photo), max_attempts=2)

    def away(*args: object, **kwargs: object) -> None:
        raise StorageUnavailable("storing a derivative")

    monkeypatch.setattr(store(Role.WORKER), "put", away)
    job = run(job)
    assert (job.state, job.code, job.stage) == (JobState.QUEUED, "storage_unavailable", Stage.WAITING)
    assert job.not_before > timezone.now() + timedelta(seconds=2)
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now() - timedelta(seconds=1))
    job = run(job)
    assert (job.state, job.code, job.attempt) == (JobState.FAILED, "storage_unavailable", 2)
    assert not Derivative.objects.filter(state=DerivativeState.CURRENT).exists()


def test_a_bug_of_ours_ends_the_job_and_not_the_worker(photo, monkeypatch):
    job = make_job(make_original(photo), max_attempts=1)
    monkeypatch.setattr(publishing, "stage", lambda *args: 1 / 0)
    job = run(job)
    assert (job.state, job.code) == (JobState.FAILED, "internal_error")


def test_rqs_alarm_is_not_swallowed(photo, monkeypatch):
    job = make_job(make_original(photo), max_attempts=1)

    def alarm(*args: object) -> None:
        raise queue.JobTimeout("Task exceeded maximum timeout value")

    monkeypatch.setattr(publishing, "stage", alarm)
    assert run(job).code == "render_timeout"


def test_no_temporary_file_stays(photo):
    run(make_job(make_original(photo)))
    run(make_job(make_original(b"\xff\xd8\xff\xe0 no picture")))
    assert list(workers.current().workspace.path.glob("job-*")) == []


def test_a_retry_by_a_person_grants_new_attempts_and_can_end_done(photo):
    original = make_original(photo)
    job = make_job(original, state=JobState.FAILED, code="worker_lost", attempt=3)
    lifecycle.retry_all(Job.objects.filter(pk=job.pk), actor=staff(1))
    job.refresh_from_db()
    assert (job.state, job.code, job.max_attempts) == (JobState.QUEUED, "", 6)
    assert run(job).state == JobState.DONE
    assert original.state == OriginalState.ACTIVE
