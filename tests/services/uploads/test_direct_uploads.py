"""An upload past the web process becomes one image, of whoever began it, and nobody looks at its bytes for that."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import F

from bench.plans import whole_tables
from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.callers import ANONYMOUS, Caller, staff
from media_jobs.errors import (
    BacklogFull,
    FileTooLarge,
    IdempotencyKeyReused,
    MediaError,
    UnknownUpload,
    UnsupportedFormat,
    UploadExpired,
    UploadUsed,
    WrongState,
)
from media_jobs.models import DirectUpload, Job, JobEvent, Original
from media_jobs.models.base import uuid7
from media_jobs.pipeline.values import Focus, Overrides
from media_jobs.services import originals
from media_jobs.services.idempotency import Answer, Sent, fingerprint
from media_jobs.services.uploads import direct_uploads, intake
from media_jobs.services.uploads.direct_uploads import Opened
from media_jobs.states import JobState, Lane, OriginalState
from tests.factories import make_job, make_original
from tests.services.housekeeping.helpers import ago, objects

pytestmark = pytest.mark.django_db

RETRY_FOR_S = 30


def begin(caller: Caller = ANONYMOUS, **announced: Any) -> Opened:
    given: dict[str, Any] = {"filename": "gall.jpg", "content_type": "image/jpeg", "size_bytes": None, "sha256": ""}
    return direct_uploads.begin(caller=caller, **(given | announced))


def accept(opened: Opened, caller: Caller = ANONYMOUS, **how: Any) -> Answer:
    return direct_uploads.accept(
        opened.upload.pk,
        preset=selectors.current_preset("gallformers"),
        caller=caller,
        build_answer=lambda accepted: Answer(
            202, {"job": str(accepted.job.pk), "duplicate": str(accepted.duplicate_of)}
        ),
        **how,
    )


def sent(of: str = "a") -> Sent:
    return Sent(ANONYMOUS.id, "k", fingerprint("upload", sha256=of))


# --- begin -------------------------------------------------------------------------------------------


def test_the_server_chooses_the_key_and_a_row_names_it_before_anything_is_stored():
    opened = begin(filename="../../originals/x.jpg", size_bytes=5, sha256="AB" * 32)
    upload = DirectUpload.objects.get()
    assert upload.key == f"uploads/{upload.pk}" == opened.form.fields["key"]
    assert (upload.owner, upload.size_bytes, upload.sha256) == (ANONYMOUS.id, 5, "ab" * 32)
    assert opened.expires_s == 900
    assert objects() == []


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/html", "application/pdf", "image", "", "image/*"])
def test_a_type_that_is_not_accepted_is_promised_nothing(content_type):
    with pytest.raises(UnsupportedFormat):
        begin(content_type=content_type, filename="gall.svg")
    assert not DirectUpload.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "filename", "means"),
    [
        ("image/jpeg", "gall.png", "image/jpeg"),
        ("IMAGE/JPG; q=1", "", "image/jpeg"),
        ("image/heif", "", "image/heic"),
        ("", "DSC_1.NEF", "image/x-nikon-nef"),
        ("application/octet-stream", "a.b.tiff", "image/tiff"),
    ],
)
def test_what_browsers_say_is_understood(content_type, filename, means):
    opened = begin(content_type=content_type, filename=filename)
    assert opened.upload.content_type == opened.form.fields["Content-Type"] == means


def test_more_than_is_allowed_for_the_type_is_refused(settings):
    settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES = 100, 200
    begin(size_bytes=100)
    begin(size_bytes=200, content_type="image/x-adobe-dng")
    for content_type, size_bytes in (("image/jpeg", 101), ("image/x-adobe-dng", 201)):
        with pytest.raises(FileTooLarge):
            begin(size_bytes=size_bytes, content_type=content_type)


def test_no_more_forms_are_out_than_jobs_may_wait(settings):
    settings.MAX_BACKLOG = 3
    first, *_ = [begin() for _ in range(3)]
    with pytest.raises(BacklogFull):
        begin()
    accept(first)
    begin()
    DirectUpload.objects.update(created_at=ago(minutes=16))  # by now their forms are good for nothing
    begin()


# --- accept ------------------------------------------------------------------------------------------


def test_accepting_makes_a_staged_original_and_queues_the_work(valkey):
    opened = begin(filename="a" * 300 + ".jpg", sha256="0" * 64)
    accept(opened)
    original, job = Original.objects.get(), Job.objects.get()
    assert (original.state, original.sha256, original.size_bytes) == (OriginalState.STAGED, "", 0)
    assert original.key == f"originals/{original.pk}.jpg"
    assert (original.owner, len(original.filename)) == (ANONYMOUS.id, 255)
    assert (job.original, job.state, job.wanted) == (original, JobState.QUEUED, ["full", "medium", "small", "thumb"])
    assert [event.type for event in job.events.all()] == ["queued"]
    upload = DirectUpload.objects.get()
    assert upload.original == original
    assert upload.closed_at


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_woken_up_after_the_commit(valkey):
    accept(begin())
    assert queue.lengths()[Lane.INTERACTIVE] == Job.objects.count() == 1


def test_what_the_uploader_asked_for_stays_with_the_original():
    options = intake.UploadOptions({"gps": True}, Overrides(270, Focus(0.25, 1)))
    accept(begin(), options=options)
    original = Original.objects.get()
    assert (original.overrides(), original.preserve) == (options.overrides, {"gps": True})


def test_nobody_learns_from_a_checksum_alone_who_else_has_the_file():
    earlier = make_original(stored=False)
    assert accept(begin(sha256=earlier.sha256)).body["duplicate"] == "None"


def test_an_upload_becomes_one_image():
    opened = begin()
    accept(opened)
    with pytest.raises(UploadUsed):
        accept(opened)
    assert (Original.objects.count(), Job.objects.count()) == (1, 1)
    Job.objects.all().delete()
    Original.objects.all().delete()
    with pytest.raises(UploadUsed):
        accept(opened)


@pytest.mark.parametrize(("owner", "other"), [(ANONYMOUS, staff(1)), (staff(1), staff(2)), (staff(1), ANONYMOUS)])
def test_an_upload_is_its_owners(owner, other):
    opened = begin(owner)
    with pytest.raises(UnknownUpload):
        accept(opened, other)
    assert not Original.objects.exists()
    accept(opened, owner)
    assert Original.objects.get().owner == owner.id


def test_an_upload_that_was_never_begun_is_unknown():
    opened = begin()
    opened.upload.pk = uuid4()
    with pytest.raises(UnknownUpload):
        accept(opened)


@pytest.mark.parametrize(("age", "accepted"), [(timedelta(minutes=59), True), (timedelta(minutes=61), False)])
def test_an_upload_may_become_an_image_for_an_hour(age, accepted):
    opened = begin()
    DirectUpload.objects.update(created_at=F("created_at") - age)
    if accepted:
        accept(opened)
        return
    with pytest.raises(UploadExpired):
        accept(opened)
    assert not Original.objects.exists()
    assert DirectUpload.objects.get().closed_at is None


def test_the_same_request_gets_the_same_answer():
    opened = begin()
    first, second = (accept(opened, sent=sent()) for _ in range(2))
    assert (second.body, second.replayed, first.replayed) == (first.body, True, False)
    assert Job.objects.count() == JobEvent.objects.count() == 1
    with pytest.raises(IdempotencyKeyReused):
        accept(begin(), sent=sent("b"))


def in_threads(*calls: Callable[[], Any]) -> list[Any]:
    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except MediaError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [None, "k"])
def test_of_many_who_accept_it_at_once_one_does(valkey, key, monkeypatch):
    opened, together = begin(), Barrier(6)
    monkeypatch.setattr(direct_uploads, "estimates", SimpleNamespace(pace=lambda _: together.wait(RETRY_FOR_S)))
    answers = in_threads(*[lambda: accept(opened, sent=sent() if key else None)] * 6)
    given = [answer for answer in answers if isinstance(answer, Answer)]
    assert Original.objects.count() == Job.objects.count() == 1
    assert len({answer.body["job"] for answer in given}) == 1
    assert [answer.replayed for answer in given].count(False) == 1
    assert len(given) == (6 if key else 1)
    assert all(isinstance(answer, Answer | UploadUsed) for answer in answers)


# --- what others see of it ---------------------------------------------------------------------------


def test_an_image_that_is_still_to_be_checked_is_seen_and_its_file_is_not_given_out():
    accept(begin())
    image = selectors.image(Original.objects.get().pk, ANONYMOUS)
    assert image
    with pytest.raises(WrongState):
        originals.link(image)


def test_nobody_queues_work_on_what_is_being_removed():
    with pytest.raises(WrongState):
        make_job(make_original(stored=False, state=OriginalState.DELETED))
    assert not Job.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_job_for_an_original_that_is_just_being_given_up_waits_for_that_and_is_refused():
    original, given_up = make_original(stored=False), Barrier(2)

    def give_up() -> None:
        with transaction.atomic():
            Original.objects.select_for_update().get(pk=original.pk)
            given_up.wait(RETRY_FOR_S)
            Original.objects.filter(pk=original.pk).update(state=OriginalState.DELETED)

    def ask() -> None:
        given_up.wait(RETRY_FOR_S)
        make_job(original)

    assert isinstance(in_threads(give_up, ask)[1], WrongState)
    assert not Job.objects.exists()


def test_no_statement_reads_all_uploads_or_originals(valkey):
    ids = [uuid7() for _ in range(2_000)]
    uploads = [DirectUpload(id=pk, key=f"uploads/{pk}", created_at=ago(minutes=1)) for pk in ids]
    DirectUpload.objects.bulk_create(uploads)
    Original.objects.bulk_create(Original(id=u.pk, key=f"originals/{u.pk}.jpg", state="staged") for u in uploads)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    opened: list[Opened] = []
    plans = whole_tables(lambda: opened.append(begin())) | whole_tables(lambda: accept(opened[0]))
    tables = {"media_jobs_directupload", "media_jobs_original", "media_jobs_job"}
    assert {sql: whole & tables for sql, whole in plans.items() if whole & tables} == {}
