"""Direct uploads are removed in their time, and with them what a dead worker made of them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.errors import StorageUnavailable, UploadUsed
from media_jobs.keys import is_ours
from media_jobs.models import DirectUpload, Job, Original, Preset, Tombstone
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import Finding, Observer, Task
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.services.idempotency import Answer
from media_jobs.services.jobs import lifecycle
from media_jobs.services.uploads import direct_uploads
from media_jobs.states import JobState, OriginalState
from tests.services.housekeeping.helpers import ago, do, objects

pytestmark = pytest.mark.django_db

NOW = timedelta(0)


def put(key: str) -> str:
    writer = store(Role.WORKER).begin(key, content_type="image/jpeg")
    writer.write(b"\xff\xd8")
    writer.commit()
    return key


def an_upload(age: timedelta = NOW, *, arrived: bool = True) -> DirectUpload:
    opened = direct_uploads.begin(
        caller=ANONYMOUS, filename="a.jpg", content_type="image/jpeg", size_bytes=None, sha256=""
    )
    DirectUpload.objects.filter(pk=opened.upload.pk).update(created_at=F("created_at") - age)
    if arrived:
        put(opened.upload.key)
    return opened.upload


def accept(upload: DirectUpload) -> Answer:
    preset = selectors.current_preset("gallformers")
    return direct_uploads.accept(upload.pk, preset=preset, caller=ANONYMOUS, build_answer=lambda _: Answer(202, {}))


def an_image(age: timedelta, *, checked: bool = False, **job: Any) -> DirectUpload:
    """An upload that was accepted at once, and is now of that age."""
    upload = an_upload()
    accept(upload)
    DirectUpload.objects.filter(pk=upload.pk).update(created_at=F("created_at") - age)
    upload.refresh_from_db()
    if checked:
        Original.objects.update(state=OriginalState.ACTIVE, sha256="0" * 64, size_bytes=2)
    Job.objects.filter(original=upload.original_id).update(**job)
    return upload


FAILED: dict[str, Any] = {"state": JobState.FAILED, "code": "upload_mismatch"}
HOURS, DAYS = timedelta(hours=3), timedelta(days=8)


def test_an_upload_that_nobody_used_goes_after_two_hours_and_not_before():
    young, old = an_upload(timedelta(minutes=119)), an_upload(timedelta(minutes=121))
    an_upload(HOURS, arrived=False)
    outcome = do("staging")
    assert (outcome.found, outcome.repaired) == (2, 2)
    assert list(DirectUpload.objects.all()) == [young]
    assert objects() == [young.key] != [old.key]


def test_what_was_stored_again_after_it_became_an_original_goes_as_well():
    upload = an_image(HOURS, checked=True, state=JobState.DONE)
    own = put(Original.objects.get().key)
    assert objects() == sorted([own, upload.key])
    do("staging")
    assert objects() == [own]
    assert not DirectUpload.objects.exists()
    assert Original.objects.get().state == OriginalState.ACTIVE


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PROCESSING])
def test_whatever_its_age_a_file_stays_for_the_job_that_is_to_check_it(state):
    upload = an_image(timedelta(days=30), state=state, worker="a", lease_until=ago(days=-1))
    assert do("staging", older_than=NOW).found == 0
    assert objects() == [upload.key]


@pytest.mark.parametrize("job", [FAILED, {"state": JobState.CANCELLED}])
def test_a_file_whose_job_gave_up_stays_for_a_week_for_a_retry(job):
    upload = an_image(DAYS, **job, finished_at=ago(days=6, hours=23))
    assert do("staging", older_than=NOW).found == 0
    assert objects() == [upload.key]
    Job.objects.update(finished_at=ago(days=7, hours=1))
    put(Original.objects.get().key)  # its worker had come as far as that
    assert do("staging").repaired == 1
    assert objects() == []
    assert Original.objects.get().state == OriginalState.DELETED
    assert Job.objects.get().state == job["state"]  # still tells what came of it
    assert selectors.image(Original.objects.get().pk, ANONYMOUS) is None
    assert not DirectUpload.objects.exists()


def test_zero_takes_at_once_what_nobody_has_used_yet():
    upload = an_upload()
    assert do("staging").found == 0
    assert do("staging", older_than=NOW).repaired == 1
    assert objects() == []
    assert not DirectUpload.objects.filter(pk=upload.pk).exists()


def test_looking_changes_nothing():
    an_upload(HOURS)
    an_image(DAYS, **FAILED, finished_at=ago(days=8))
    before = [*DirectUpload.objects.values(), *Original.objects.values(), *objects()]
    assert do("staging", dry_run=True).found == 2
    assert [*DirectUpload.objects.values(), *Original.objects.values(), *objects()] == before


class Meanwhile(Observer):
    """Does something between finding and repairing."""

    def __init__(self, do: Any) -> None:
        self.do = do

    def found(self, task: Task, findings: list[Finding]) -> None:
        self.do()


def test_an_upload_that_is_accepted_meanwhile_stays():
    upload = an_upload()
    outcome = do("staging", older_than=NOW, observer=Meanwhile(lambda: accept(upload)))
    assert (outcome.found, outcome.repaired) == (1, 0)
    assert objects() == [upload.key]


def test_a_job_that_is_retried_meanwhile_keeps_its_file():
    upload = an_image(DAYS, **FAILED, finished_at=ago(days=8))
    job = Job.objects.get()
    outcome = do("staging", observer=Meanwhile(lambda: lifecycle.retry(job.pk, actor=ANONYMOUS)))
    assert (outcome.found, outcome.repaired) == (1, 0)
    assert objects() == [upload.key]
    assert Original.objects.get().state == OriginalState.STAGED


def test_what_cannot_be_deleted_becomes_no_image_any_more_and_goes_the_next_time(monkeypatch):
    upload = an_upload()
    an_image(DAYS, **FAILED, finished_at=ago(days=8))

    def refuse(key: str) -> None:
        raise StorageUnavailable("deleting a file")

    with monkeypatch.context() as patched:
        patched.setattr(store(Role.WORKER), "delete", refuse)
        assert do("staging", older_than=NOW).repaired == 0
    assert DirectUpload.objects.count() == 2
    assert len(objects()) == 2
    with pytest.raises(UploadUsed):
        accept(upload)
    assert do("staging", older_than=NOW).repaired == 2
    assert objects() == []


def test_where_presets_give_failed_originals_up_those_that_were_never_checked_go_too():
    Preset.objects.filter(name="gallformers", current=True).update(failed_days=1)
    upload = an_image(HOURS, **FAILED, finished_at=ago(days=2))
    put(Original.objects.get().key)
    assert do("failures").repaired == 1
    assert not Original.objects.exists()
    assert not Job.objects.exists()
    assert DirectUpload.objects.get() == upload  # still names its object
    do("staging")
    assert objects() == []
    assert not DirectUpload.objects.exists()


def test_what_was_given_up_here_is_forgotten_where_presets_say_so():
    an_image(DAYS, **FAILED, finished_at=ago(days=8))
    do("staging")
    Preset.objects.filter(name="gallformers", current=True).update(failed_days=7)
    do("failures")
    assert not Original.objects.exists()
    assert not Job.objects.exists()


# --- objects that no row names -----------------------------------------------------------------------


def test_a_file_whose_upload_no_row_knows_goes_as_other_orphans_do():
    known, orphan = an_upload(), put(f"uploads/{uuid4()}")
    sweep = [task_named("orphans"), task_named("tombstones")]
    housekeeping.run(only=sweep)
    assert [row.key for row in Tombstone.objects.all()] == [orphan]
    Tombstone.objects.update(created_at=ago(days=8))
    housekeeping.run(only=sweep)
    assert objects() == [known.key]
    assert not Tombstone.objects.exists()


def test_a_tombstone_does_not_take_a_file_whose_upload_a_row_names():
    upload = an_upload()
    Tombstone.objects.create(key=upload.key, created_at=ago(days=8))
    do("tombstones")
    assert objects() == [upload.key]
    assert not Tombstone.objects.exists()


@pytest.mark.parametrize(
    "key", ["uploads/check", "uploads/readme.txt", "uploads/01890a5d-ac96-774b-bcce-b302099a8057/a", "uploads/x"]
)
def test_what_this_service_never_named_so_is_not_its_to_delete(key):
    put(key)
    housekeeping.run(only=[task_named("orphans"), task_named("tombstones")], older_than=NOW)
    assert objects() == [key]
    assert not is_ours(key)
