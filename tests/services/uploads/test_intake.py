"""An accepted upload has its job; one that is not accepted leaves nothing."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Job, Original
from media_jobs.pipeline.formats.sniff import sniff
from media_jobs.pipeline.values import Focus, Keep, Overrides
from media_jobs.services import housekeeping
from media_jobs.services.idempotency import Answer
from media_jobs.services.uploads import intake
from media_jobs.states import JobState, Lane, OriginalState
from tests import images

pytestmark = pytest.mark.django_db


@pytest.fixture
def photo() -> bytes:
    return images.jpeg(64, 64)


@pytest.fixture
def upload(photo) -> Iterator[intake.Upload]:
    upload = intake.Upload(sniff(photo), filename="gall.jpg", caller=ANONYMOUS)
    upload.write(photo[:100])
    upload.write(photo[100:])
    yield upload
    upload.abort()


def accept(upload: intake.Upload, **how: Any) -> Job:
    answer = upload.accept(
        preset=selectors.current_preset("gallformers"),
        caller=ANONYMOUS,
        build_answer=lambda accepted: Answer(202, {"job": str(accepted.job.pk)}),
        **how,
    )
    return Job.objects.get(pk=answer.body["job"])


def test_nothing_is_there_before_it_is_accepted(upload):
    assert not Original.objects.exists()
    assert list(store(Role.WORKER).keys()) == []


def test_accepting_is_one_transaction(upload, settings):
    with CaptureQueriesContext(connection) as seen:
        accept(upload)
    written = [query["sql"] for query in seen if re.match(r"INSERT|UPDATE|DELETE", query["sql"])]
    tables = [re.search(r'"media_jobs_(\w+)"', sql)[1] for sql in written]  # type: ignore[index]
    assert tables == ["original", "job", "jobevent"]


def test_accepting_stores_the_bytes_as_they_came_and_queues_the_work(upload, photo, tmp_path):
    job = accept(upload)
    original = Original.objects.get(pk=job.original_id)
    assert (original.state, original.size_bytes) == (OriginalState.ACTIVE, len(photo))
    assert original.sha256 == hashlib.sha256(photo).hexdigest()
    store(Role.WORKER).fetch(original.key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == photo
    assert (job.state, job.wanted) == (JobState.QUEUED, ["full", "medium", "small", "thumb"])


def test_what_the_uploader_asked_for_stays_with_the_original(upload):
    options = intake.UploadOptions({"gps": True, "timestamps": False}, Overrides(270, Focus(0.25, 1)))
    accept(upload, options=options)
    original = Original.objects.get()
    assert original.overrides() == options.overrides
    assert original.keep(Keep(device_serial=True)) == Keep(timestamps=False, gps=True, device_serial=True)


def test_who_asks_for_nothing_gets_what_the_settings_say(upload):
    accept(upload)
    original = Original.objects.get()
    assert original.overrides() == Overrides()
    for otherwise in (Keep(), Keep(timestamps=False, gps=True)):
        assert original.keep(otherwise) == otherwise


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_up_after_the_commit(upload, valkey):
    accept(upload)
    assert queue.lengths()[Lane.INTERACTIVE] == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(60)
@pytest.mark.parametrize("away", ["unreachable_queue", "frozen_queue"])
def test_a_queue_that_is_away_neither_refuses_nor_holds_up_the_upload(upload, request, away):
    request.getfixturevalue(away)
    assert accept(upload).state == JobState.QUEUED


def test_aborting_leaves_nothing(upload):
    upload.abort()
    assert not Original.objects.exists()
    assert list(store(Role.WORKER).keys()) == []
    assert store(Role.WORKER).unfinished() == []


def test_a_transaction_that_fails_after_the_commit_of_the_object_leaves_nothing(upload, monkeypatch):
    monkeypatch.setattr(intake, "create_job", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        accept(upload)
    upload.abort()
    housekeeping.run()
    assert not Original.objects.exists()
    assert list(store(Role.WORKER).keys()) == []


def test_without_a_database_an_aborted_upload_leaves_its_object_to_the_next_listing(upload, monkeypatch):
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(intake, "create_job", away)
    with pytest.raises(OperationalError):
        accept(upload)
    with monkeypatch.context() as patch:
        patch.setattr(Original, "save", away)
        upload.abort()
    assert list(store(Role.WORKER).keys()) == [upload.original.key]
    housekeeping.run(older_than=timedelta(0))
    assert list(store(Role.WORKER).keys()) == []
