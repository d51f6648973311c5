"""Idempotency-Key: a request that is sent again, because nobody knows what became of it, does nothing twice."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from media_jobs.adapters.storage import Role, store
from media_jobs.models import IdempotencyKey, Job, Original
from media_jobs.services.uploads import intake
from tests import images
from tests.factories import make_failed_job, make_job

pytestmark = pytest.mark.django_db

KEY = "7c9c1f0e-4c1b-4c3e-9d53-1f2d5a3b6a10"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


@pytest.fixture(scope="module")
def other_photo() -> bytes:
    return images.jpeg(48, 64)


def post(client: Client, content: bytes, key: str | None = KEY, *, url: str = "/v1/images", name="a.jpg", **fields):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(url, {"file": SimpleUploadedFile(name, content), **fields}, headers=headers)


def refused(response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"


def same_answer(first, second) -> bool:
    assert first.headers.get("Idempotency-Replayed") is None
    assert second.headers["Idempotency-Replayed"] == "true"
    names = ("Location", "Retry-After", "Content-Type")
    return (first.status_code, first.content) == (second.status_code, second.content) and [
        first.headers[name] for name in names
    ] == [second.headers[name] for name in names]


@pytest.mark.parametrize("again_at", ["/v1/images", "/v1/jobs"])
def test_the_same_upload_gets_the_same_answer_and_is_stored_once(client, photo, monkeypatch, again_at):
    first = post(client, photo, preset="ingest", rotation="90")
    assert first.status_code == 202
    monkeypatch.setattr(intake, "Upload", None)  # nothing more may be begun
    assert same_answer(first, post(client, photo, url=again_at, rotation="90", preset="ingest"))
    assert (Original.objects.count(), Job.objects.count()) == (1, 1)
    assert len(list(store(Role.WORKER).keys())) == 1


@pytest.mark.parametrize("other", [{"rotation": "90"}, {"name": "b.jpg"}, {"preset": "ingest"}, {"preset": "nonsense"}])
def test_the_same_key_with_another_form_is_refused(client, photo, other):
    post(client, photo)
    refused(post(client, photo, **other), 422, "idempotency_key_reused")
    assert Original.objects.count() == 1


def test_the_same_key_with_another_file_is_refused_and_nothing_of_it_stays(client, photo, other_photo):
    post(client, photo)
    refused(post(client, other_photo), 422, "idempotency_key_reused")
    assert Original.objects.count() == 1
    assert store(Role.WORKER).unfinished() == []


def test_without_a_key_every_upload_is_a_new_one(client, photo):
    assert post(client, photo, None).json()["jobId"] != post(client, photo, None).json()["jobId"]


def test_the_key_of_another_caller_is_another(client, photo):
    staff = Client()
    staff.force_login(User.objects.create_user("curator", is_staff=True))
    assert post(client, photo).json()["jobId"] != post(staff, photo).json()["jobId"]


def test_a_preset_that_changed_meanwhile_changes_no_answer(client, photo):
    first = post(client, photo)
    Job.objects.get().preset.__class__.objects.update(current=False)
    assert same_answer(first, post(client, photo))


def test_a_refused_upload_does_not_use_up_its_key(client, photo, settings):
    refused(post(client, photo, preset="nonsense"), 400, "unknown_preset")
    refused(post(client, b"no picture"), 415, "unsupported_format")
    settings.MAX_BACKLOG = 0
    refused(post(client, photo), 503, "backlog_full")
    settings.MAX_BACKLOG = 10
    assert post(client, photo).status_code == 202


def test_an_answer_that_was_given_is_given_while_the_backlog_is_full(client, photo, settings):
    first = post(client, photo)
    settings.MAX_BACKLOG = 1
    refused(post(client, photo, "new"), 503, "backlog_full")
    assert same_answer(first, post(client, photo))


@pytest.mark.parametrize("again", ['"a-key"', "a-key"])
def test_quotes_around_a_key_are_no_part_of_it(client, photo, again):
    post(client, photo, "a-key")
    assert post(client, photo, again).headers["Idempotency-Replayed"]


@pytest.mark.parametrize("key", ["!", "~" * 255, r'"with \" and \\ within"'.replace(" ", "-"), 'in"side'])
def test_a_key_may_be_any_visible_text(client, photo, key):
    assert post(client, photo, key).status_code == 202
    assert post(client, photo, key).headers["Idempotency-Replayed"]


@pytest.mark.parametrize("key", ["", '""', '"open', '"', "two words", "é", "x" * 256, "tab\there", r'"\x"', '"a"b"'])
def test_a_key_that_is_none_is_named(client, photo, key):
    refused(post(client, photo, key), 400, "bad_idempotency_key")
    retry = f"/v1/jobs/{make_failed_job().pk}/retry"
    refused(client.post(retry, headers={"Idempotency-Key": key}), 400, "bad_idempotency_key")
    assert not Original.objects.exclude(filename="gall.jpg").exists()


def test_a_retry_that_is_sent_again_is_done_once(client):
    job = make_failed_job()
    first, second = (client.post(f"/v1/jobs/{job.pk}/retry", headers={"Idempotency-Key": KEY}) for _ in range(2))
    assert first.status_code == 202
    assert same_answer(first, second)
    assert [event.type for event in job.events.all()] == ["queued", "retried"]


def test_a_key_is_for_one_job_only(client, photo):
    post(client, photo)
    retry = f"/v1/jobs/{make_failed_job().pk}/retry"
    refused(client.post(retry, headers={"Idempotency-Key": KEY}), 422, "idempotency_key_reused")
    assert client.post(retry, headers={"Idempotency-Key": "another"}).status_code == 202
    other = f"/v1/jobs/{make_failed_job().pk}/retry"
    refused(client.post(other, headers={"Idempotency-Key": "another"}), 422, "idempotency_key_reused")


def test_a_retry_that_is_not_possible_does_not_use_up_its_key(client):
    job = make_job()
    url = f"/v1/jobs/{job.pk}/retry"
    refused(client.post(url, headers={"Idempotency-Key": KEY}), 409, "wrong_state")
    assert not IdempotencyKey.objects.exists()
