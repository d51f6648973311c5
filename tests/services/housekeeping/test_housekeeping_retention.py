"""What is kept for ever unless somebody says for how long: histories, and originals of which nothing could be made."""

from datetime import timedelta

import pytest

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Job, JobEvent, Original, Preset
from media_jobs.services import housekeeping
from media_jobs.services.jobs import lifecycle
from media_jobs.states import DerivativeState, JobState
from tests.factories import make_derivative, make_failed_job, make_job, make_original
from tests.services.housekeeping.helpers import ago, do, objects, refuse

pytestmark = pytest.mark.django_db


def end(job: Job, **age: float) -> None:
    Job.objects.filter(pk=job.pk).update(finished_at=ago(**age))


def test_histories_are_kept_for_ever_unless_a_setting_says_so(settings):
    end(make_failed_job(), days=10_000)
    assert do("histories").found == 0
    settings.EVENT_RETENTION_DAYS = 30
    assert do("histories").repaired == 1
    assert not JobEvent.objects.exists()


def test_only_histories_of_jobs_that_ended_long_ago_go(settings):
    settings.EVENT_RETENTION_DAYS = 30
    old, young, waiting = make_failed_job(), make_failed_job(), make_job()
    end(old, days=31)
    end(young, days=29)
    JobEvent.objects.update(at=ago(days=100))
    assert do("histories").repaired == 1
    assert set(JobEvent.objects.values_list("job", flat=True)) == {young.pk, waiting.pk}


def test_a_retry_numbers_on_where_a_removed_history_ended(settings, valkey):
    settings.EVENT_RETENTION_DAYS = 30
    job = make_failed_job()
    end(job, days=31)
    do("histories")
    lifecycle.retry(job.pk, actor=ANONYMOUS)
    assert [event.number for event in job.events.all()] == [2]


def keep_failed(days: int, preset: str = "gallformers") -> None:
    Preset.objects.filter(name=preset, current=True).update(failed_days=days)


def test_failed_originals_stay_unless_the_current_version_of_their_preset_says_how_long():
    make_failed_job(original=make_original(), finished_at=ago(days=1000))
    keep_failed(7, preset="ingest")
    old = Preset.objects.get(name="gallformers", current=True)
    Preset.objects.create(name="gallformers", version=old.version + 1, failed_days=1)  # not current yet
    assert do("failures", older_than=timedelta(0)).found == 0
    keep_failed(7)
    assert do("failures").repaired == 1
    assert objects() == []
    assert not Original.objects.exists()
    assert not Job.objects.exists()
    assert not JobEvent.objects.exists()


@pytest.mark.parametrize(
    "also",
    [
        {"state": JobState.DONE, "finished_at": ago(days=100)},
        {"state": JobState.QUEUED},
        {"state": JobState.PROCESSING, "worker": "a", "lease_until": ago(days=-1)},
        {"state": JobState.FAILED, "code": "x", "finished_at": ago(days=1)},
        {"state": JobState.FAILED, "code": "x", "finished_at": None},
        {"state": JobState.CANCELLED, "finished_at": ago(days=1)},
        {"state": JobState.FAILED, "code": "x", "finished_at": ago(days=100), "preset": "ingest"},
    ],
)
def test_a_failed_original_with_a_job_that_matters_stays(also):
    keep_failed(7)
    failed = make_failed_job(original=make_original(), finished_at=ago(days=8))
    make_job(failed.original, **also)
    assert do("failures", older_than=timedelta(0)).found == 0


def test_a_failed_original_with_a_derivative_stays():
    keep_failed(7)
    failed = make_failed_job(original=make_original(), finished_at=ago(days=8))
    make_derivative(failed, state=DerivativeState.CURRENT)
    assert do("failures").found == 0


def test_a_failed_original_that_is_retried_meanwhile_stays(valkey):
    keep_failed(7)
    failed = make_failed_job(original=make_original(), finished_at=ago(days=8))

    class Curator(housekeeping.Observer):
        def found(self, task, findings):
            lifecycle.retry(failed.pk, actor=ANONYMOUS)

    assert do("failures", observer=Curator()).repaired == 0
    assert objects() == [failed.original.key]
    assert Job.objects.get().state == JobState.QUEUED


def test_a_failed_original_whose_object_cannot_be_deleted_yet_goes_later(monkeypatch):
    keep_failed(7)
    make_failed_job(original=make_original(), finished_at=ago(days=8))
    with monkeypatch.context() as patch:
        patch.setattr(store(Role.WORKER), "delete", refuse)
        assert do("failures").error
    assert objects() != []
    assert do("uploads").repaired == 1
    assert objects() == []
    assert not Original.objects.exists()
