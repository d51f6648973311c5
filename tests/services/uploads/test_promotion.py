"""What came straight to the storage becomes an original once it was checked, and is then what was checked, for ever."""

import hashlib
from typing import Any

import pytest

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Job, Original
from media_jobs.ports import Outgoing
from media_jobs.services.jobs import lifecycle
from media_jobs.states import JobState, OriginalState
from tests import images
from tests.formats import raws
from tests.forms import send
from tests.services.housekeeping.helpers import ago, objects
from tests.services.uploads.promoting import (
    OTHER,
    PHOTO,
    accept,
    after,
    assert_done,
    begin,
    housekeep,
    put,
    uploaded,
    work,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_storage")]


def test_a_file_that_is_what_was_announced_becomes_an_original(tmp_path):
    _, job = uploaded(size_bytes=len(PHOTO), sha256=hashlib.sha256(PHOTO).hexdigest())
    assert_done(work(job), PHOTO, tmp_path)
    assert [key for key in objects() if key.startswith("uploads/")] == []


def test_an_image_may_be_asked_for_before_its_file_has_arrived(tmp_path):
    opened = begin()
    job = accept(opened)
    send(opened.form, PHOTO)
    assert_done(work(job), PHOTO, tmp_path)


def test_what_the_bytes_say_counts_and_not_what_was_announced(tmp_path):
    raw = raws.dng(images.jpeg(640, 480))
    _, job = uploaded(raw, content_type="image/jpeg")
    job = work(job)
    assert_done(job, raw, tmp_path)
    assert (job.original.format, job.original.content_type) == ("dng", "image/x-adobe-dng")
    assert job.original.key.endswith(".dng")


@pytest.mark.parametrize(
    ("content", "announced", "code"),
    [
        (None, {}, "upload_missing"),
        (PHOTO, {"sha256": "0" * 64}, "upload_mismatch"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, "unsupported_format"),
        (b"%PDF-1.7" + bytes(100), {}, "unsupported_format"),
    ],
)
def test_what_is_not_as_announced_never_becomes_an_original(content, announced, code):
    opened = begin(**announced)
    if content:
        send(opened.form, content)
    job = work(accept(opened))
    assert (job.state, job.code, job.attempt) == (JobState.FAILED, code, 1)
    assert job.detail.endswith(".")
    assert job.original.state == OriginalState.STAGED
    assert [key for key in objects() if not key.startswith("uploads/")] == []


def test_a_storage_that_lets_another_size_pass_is_found_out():
    opened, job = uploaded(size_bytes=len(PHOTO))
    put(opened.upload.key, PHOTO + b"x")
    assert work(job).code == "upload_mismatch"


def test_a_picture_announced_as_a_raw_file_is_held_to_the_limit_of_pictures(settings):
    settings.MAX_UPLOAD_BYTES = len(PHOTO) - 1
    _, job = uploaded(content_type="image/x-adobe-dng")
    assert work(job).code == "file_too_large"


def test_a_form_that_is_still_valid_changes_nothing_any_more(tmp_path):
    opened, job = uploaded()
    work(job)
    assert send(opened.form, OTHER) == 204
    again = work(retry(job))
    assert_done(again, PHOTO, tmp_path)


def retry(job: Job) -> Job:
    """Run it once more, as if it had failed."""
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, code="internal_error")
    return lifecycle.retry(job.pk, actor=ANONYMOUS)


def test_what_is_posted_while_it_is_being_checked_does_not_slip_in(tmp_path, monkeypatch):
    opened, job = uploaded()
    after(monkeypatch, "_pin", lambda: send(opened.form, OTHER))
    assert_done(work(job), PHOTO, tmp_path)


def test_a_storage_that_fails_means_a_later_retry(tmp_path, monkeypatch):
    _, job = uploaded()
    real = store(Role.WORKER).put
    failed: list[int] = []

    def fail_once(files: list[Outgoing], **how: Any) -> None:
        if not failed:
            failed.append(1)
            raise StorageUnavailable("storing a file")
        real(files, **how)

    monkeypatch.setattr(store(Role.WORKER), "put", fail_once)
    job = work(job)
    assert (job.state, job.code) == (JobState.QUEUED, "storage_unavailable")
    assert_done(work(job), PHOTO, tmp_path)


def test_an_upload_that_cannot_be_deleted_is_done_all_the_same_and_goes_later(tmp_path, monkeypatch):
    opened, job = uploaded()

    def refuse(key: str) -> None:
        raise StorageUnavailable("deleting a file")

    with monkeypatch.context() as patched:
        patched.setattr(store(Role.WORKER), "delete", refuse)
        job = work(job)
    assert opened.upload.key in objects()
    assert_done(job, PHOTO, tmp_path)
    housekeep()
    assert opened.upload.key not in objects()


def test_a_cancelled_job_promotes_nothing_and_its_retry_does(tmp_path, monkeypatch):
    _, job = uploaded()
    after(monkeypatch, "_arrived", lambda: lifecycle.cancel(job.pk, actor=ANONYMOUS))
    cancelled = work(job)
    assert (cancelled.state, cancelled.original.state) == (JobState.CANCELLED, OriginalState.STAGED)
    assert cancelled.original.sha256 == ""
    assert_done(work(lifecycle.retry(job.pk, actor=ANONYMOUS)), PHOTO, tmp_path)


def test_a_retry_after_the_upload_is_gone_ends_with_its_code():
    opened, job = uploaded(b"no picture", content_type="image/jpeg")
    work(job)
    store(Role.WORKER).delete(opened.upload.key)
    assert work(lifecycle.retry(job.pk, actor=ANONYMOUS)).code == "upload_missing"
    Job.objects.update(finished_at=ago(days=8))
    housekeep()
    assert Original.objects.get().state == OriginalState.DELETED
    job = work(lifecycle.retry(job.pk, actor=ANONYMOUS))
    assert (job.state, job.code) == (JobState.FAILED, "upload_missing")
