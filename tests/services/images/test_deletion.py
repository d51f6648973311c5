"""Deleting an image and bringing it back: what goes at once, what later, and what nobody may do meanwhile."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from media_jobs import tasks
from media_jobs.adapters import queue
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS, SYSTEM
from media_jobs.errors import NotRestorable, StorageUnavailable, WrongState
from media_jobs.models import Derivative, DirectUpload, Job, JobEvent, Original, Tag
from media_jobs.services.housekeeping.retention import deleted_images
from media_jobs.services.images import deletion, editing, tagging
from media_jobs.services.jobs import lifecycle
from media_jobs.states import DerivativeState, JobState, Lane, OriginalState
from tests import images, working
from tests.factories import make_derivative, make_failed_job, make_job, make_original
from tests.services.housekeeping.helpers import ago, do, objects

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(320, 200)


@pytest.fixture
def done(photo) -> Job:
    job = make_job(make_original(photo))
    working.run(job.pk)
    return Job.objects.get(pk=job.pk)


def delete(job: Job) -> None:
    deletion.delete(job.original_id, actor=ANONYMOUS)


def test_derivatives_go_at_once_and_the_original_stays(done, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        delete(done)
    assert not Derivative.objects.filter(state=DerivativeState.CURRENT).exists()
    assert [job.func for job in queue._queue(Lane.INTERACTIVE).jobs] == [tasks.remove_deleted_images]
    deleted_images.remove_derivatives()  # what that does
    assert objects() == [done.original.key]
    assert not Derivative.objects.exists()
    assert do("expiry").found == 0


def test_a_wake_up_that_was_lost_is_made_good_by_housekeeping(done):
    delete(done)
    assert do("deletions").repaired == 4
    assert objects() == [done.original.key]


def test_a_queue_that_is_away_changes_nothing(done, unreachable_queue, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        delete(done)
    assert do("deletions").repaired == 4


def test_a_storage_that_is_away_leaves_the_rest_to_housekeeping(done, monkeypatch):
    delete(done)

    def away(self: object, key: str) -> None:
        raise StorageUnavailable("deleting a file")

    with monkeypatch.context() as patched:
        patched.setattr(type(store(Role.WORKER)), "delete", away)
        deleted_images.remove_derivatives()
    assert len(objects()) == 5
    do("deletions")
    do("tombstones", older_than=timedelta(0))
    assert objects() == [done.original.key]


def test_jobs_that_are_not_over_are_cancelled(done):
    waiting = make_job(done.original)
    at_work = working.claim(make_job(done.original).pk, "a")
    delete(done)
    states = dict(Job.objects.values_list("pk", "state"))
    assert states == {done.pk: JobState.DONE, waiting.pk: JobState.CANCELLED, at_work.pk: JobState.CANCELLED}
    last = JobEvent.objects.filter(job=waiting).latest("number")
    assert (last.type, last.actor) == ("cancelled", ANONYMOUS.id)


def test_a_worker_that_is_in_the_middle_publishes_nothing(photo, monkeypatch):
    from media_jobs.services.jobs import publishing

    job = make_job(make_original(photo))
    publish = publishing.publish

    def too_late(*args, **kwargs):
        delete(job)
        return publish(*args, **kwargs)

    monkeypatch.setattr(publishing, "publish", too_late)
    working.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert not Derivative.objects.exists()
    assert objects() == [job.original.key]


def test_deleting_again_says_the_same(done, settings):
    first = deletion.delete(done.original_id, actor=ANONYMOUS)
    assert deletion.delete(done.original_id, actor=SYSTEM) == first
    assert first.restorable_until - first.deleted_at == timedelta(days=settings.RESTORE_DAYS) == timedelta(days=7)


def test_nobody_queues_retries_or_changes_what_is_deleted(done):
    failed = make_failed_job(original=done.original)
    delete(done)
    with pytest.raises(WrongState):
        lifecycle.retry(failed.pk, actor=ANONYMOUS)
    outcome = lifecycle.retry_all(Job.objects.all(), actor=ANONYMOUS)
    assert (outcome.queued, outcome.left) == (0, 2)
    with pytest.raises(WrongState):
        make_job(done.original)
    with pytest.raises(WrongState):
        editing.change(done.original_id, actor=ANONYMOUS, tags=["a"])
    failed.refresh_from_db()
    assert failed.state == JobState.FAILED


def test_only_those_of_deleted_images_are_left_by_a_retry_of_many(done):
    lost = make_failed_job(original=done.original)
    kept = make_failed_job()
    delete(done)
    assert lifecycle.retry_all(Job.objects.filter(pk__in=[lost.pk, kept.pk]), actor=ANONYMOUS).queued == 1
    assert Job.objects.get(pk=kept.pk).state == JobState.QUEUED


def test_a_restored_image_is_made_anew_with_each_preset_that_it_had(done):
    tagging.add(done.original, ["oak"])
    other = make_job(done.original, preset="ingest")
    working.run(other.pk)
    before = set(objects())
    delete(done)
    deleted_images.remove_derivatives()
    accepted = deletion.restore(done.original_id, actor=ANONYMOUS)
    assert accepted.job.preset.name == "ingest"
    for job in Job.objects.filter(state=JobState.QUEUED):
        working.run(job.pk)
    assert set(objects()) == before
    assert Tag.objects.get().name == "oak"
    assert not Derivative.objects.exclude(state=DerivativeState.CURRENT).exists()


def test_an_image_restored_before_its_files_went_keeps_what_is_current(done):
    before = set(objects())
    delete(done)
    working.run(deletion.restore(done.original_id, actor=ANONYMOUS).job.pk)
    assert deleted_images._derivatives().count() == 0
    do("derivatives", older_than=timedelta(0))
    assert set(objects()) == before


def test_what_was_never_deleted_or_too_long_ago_does_not_come_back(done, settings):
    with pytest.raises(NotRestorable):
        deletion.restore(done.original_id, actor=ANONYMOUS)
    delete(done)
    Original.objects.update(deleted_at=ago(days=settings.RESTORE_DAYS, minutes=1))
    with pytest.raises(NotRestorable):
        deletion.restore(done.original_id, actor=ANONYMOUS)
    assert not Job.objects.filter(state=JobState.QUEUED).exists()


def test_after_its_days_everything_of_it_goes(done, settings):
    delete(done)
    deleted_images.remove_derivatives()
    Original.objects.update(deleted_at=ago(days=6, hours=23))
    assert do("expiry").found == 0
    Original.objects.update(deleted_at=ago(days=7, minutes=1))
    assert do("expiry").repaired == 1
    assert objects() == []
    assert [model for model in (Original, Job, JobEvent) if model.objects.exists()] == []


def test_an_original_never_goes_before_its_derivatives_or_nobody_would_know_of_them(done):
    delete(done)
    Original.objects.update(deleted_at=ago(days=8))
    assert do("expiry").found == 0
    do("deletions")
    assert do("expiry").repaired == 1
    assert objects() == []


def test_an_object_that_cannot_be_deleted_today_is_tomorrow(done, monkeypatch):
    delete(done)
    deleted_images.remove_derivatives()
    Original.objects.update(deleted_at=ago(days=8))

    def away(self: object, key: str) -> None:
        raise StorageUnavailable("deleting a file")

    with monkeypatch.context() as patched:
        patched.setattr(type(store(Role.WORKER)), "delete", away)
        do("expiry")
    assert Original.objects.get().state == OriginalState.DELETED
    with pytest.raises(NotRestorable):
        deletion.restore(done.original_id, actor=ANONYMOUS)
    assert do("uploads").repaired == 1
    assert objects() == []


def test_days_are_a_setting(done, settings):
    settings.RESTORE_DAYS = 0
    delete(done)
    deleted_images.remove_derivatives()
    with pytest.raises(NotRestorable):
        deletion.restore(done.original_id, actor=ANONYMOUS)
    assert do("expiry").repaired == 1


def test_an_image_whose_file_was_never_checked_is_deleted_and_restored_too():
    original = make_original(stored=False, state=OriginalState.STAGED, size_bytes=0, sha256="")
    upload = DirectUpload.objects.create(
        owner=original.owner, content_type="image/jpeg", key="uploads/x", original=original, closed_at=timezone.now()
    )
    job = make_job(original)
    deletion.delete(original.pk, actor=ANONYMOUS)
    assert deletion.restore(original.pk, actor=ANONYMOUS).job.pk != job.pk
    original.refresh_from_db()
    assert (original.state, original.deleted_at) == (OriginalState.STAGED, None)
    assert DirectUpload.objects.filter(pk=upload.pk).exists()


def test_replaced_files_of_a_deleted_image_go_at_once_as_well(done):
    make_derivative(done, "full", state=DerivativeState.REPLACED, replaced_at=timezone.now())
    delete(done)
    deleted_images.remove_derivatives()
    assert objects() == [done.original.key]


def test_a_deleted_image_is_no_duplicate_of_a_new_one(done):
    from media_jobs import selectors

    assert selectors.same_bytes(ANONYMOUS.id, done.original.sha256) == done.original_id
    delete(done)
    assert selectors.same_bytes(ANONYMOUS.id, done.original.sha256) is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_retry_at_the_same_moment_waits_for_the_deletion_and_then_refuses(photo):
    import threading

    from django.db import transaction

    job = make_failed_job(original=make_original(photo))
    said: list[str] = []
    began = threading.Event()

    def retry() -> None:
        began.set()
        try:
            lifecycle.retry(job.pk, actor=ANONYMOUS)
        except WrongState as error:
            said.append(str(error))
        finally:
            connection.close()

    with transaction.atomic():
        delete(job)
        thread = threading.Thread(target=retry)
        thread.start()
        began.wait(10)
    thread.join(30)
    assert len(said) == 1
    assert Job.objects.get().state == JobState.FAILED
