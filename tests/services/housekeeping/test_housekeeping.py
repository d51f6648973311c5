"""Whatever died, nothing is lost and nothing is left lying."""

from datetime import timedelta

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Derivative, Job, Original
from media_jobs.pipeline.formats.sniff import sniff
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping.tasks import LEASES
from media_jobs.services.uploads.intake import Upload
from media_jobs.states import DerivativeState, JobState
from tests import images, working
from tests.factories import make_derivative, make_job, make_original

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=30)
NOW = timedelta(0)


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_lease_that_ran_out_brings_the_job_back():
    job = working.claim(make_job().pk, "gone")
    assert housekeeping.run(only=[LEASES])[0].repaired == 0
    expire(job)
    assert housekeeping.run(only=[LEASES])[0].repaired == 1
    job.refresh_from_db()
    assert (job.state, job.worker, job.attempt) == (JobState.QUEUED, "", 1)
    assert job.events.values_list("type", flat=True).last() == "lease_expired"


def test_a_job_that_silences_every_worker_fails_in_the_end():
    job = make_job(max_attempts=2)
    for _ in range(2):
        expire(working.claim(job.pk, "gone"))
        housekeeping.run(only=[LEASES])
    job.refresh_from_db()
    assert (job.state, job.code, job.attempt) == (JobState.FAILED, "worker_lost", 2)


def begin_upload() -> Upload:
    photo = images.jpeg(64, 64)
    upload = Upload(sniff(photo), filename="a.jpg", caller=ANONYMOUS)
    upload.write(photo)
    return upload


def test_an_upload_whose_process_died_leaves_nothing():
    begin_upload()._writer._file.close()  # type: ignore[attr-defined]  # what the kernel does then
    housekeeping.run(older_than=NOW)
    assert not Original.objects.exists()
    assert list(store(Role.WORKER).keys()) == []
    assert store(Role.WORKER).unfinished() == []


def test_an_object_whose_row_was_never_activated_is_removed():
    upload = begin_upload()
    upload._writer.commit()  # and then the process died
    housekeeping.run(older_than=NOW)
    assert not Original.objects.exists()
    assert list(store(Role.WORKER).keys()) == []


def test_an_upload_under_way_is_left_alone():
    upload = begin_upload()
    housekeeping.run(older_than=timedelta(minutes=30))
    assert len(store(Role.WORKER).unfinished()) == 1
    upload.abort()


def test_originals_of_living_rows_are_never_touched():
    original = make_original(images.jpeg(64, 64))
    Original.objects.update(created_at=LONG_AGO)
    housekeeping.run(older_than=NOW)
    assert list(store(Role.WORKER).keys()) == [original.key]


def test_what_a_dead_worker_stored_is_removed_unless_another_row_wants_it():
    job = make_job(state=JobState.FAILED, code="worker_lost")
    wanted = make_derivative(job, "thumb", content=b"same", state=DerivativeState.CURRENT)
    make_derivative(job, "thumb", content=b"same", state=DerivativeState.PENDING)
    make_derivative(job, "full", content=b"other", state=DerivativeState.PENDING)
    housekeeping.run(older_than=NOW)
    assert list(Derivative.objects.all()) == [wanted]
    assert list(store(Role.WORKER).keys()) == [wanted.key]


def test_a_replaced_file_stays_seven_days():
    job = make_job(state=JobState.DONE)
    replaced = {"state": DerivativeState.REPLACED}
    fresh = make_derivative(job, "thumb", content=b"a", replaced_at=timezone.now() - timedelta(days=6), **replaced)
    make_derivative(job, "full", content=b"b", replaced_at=timezone.now() - timedelta(days=8), **replaced)
    housekeeping.run()
    assert list(store(Role.WORKER).keys()) == [fresh.key]
    assert list(Derivative.objects.all()) == [fresh]
