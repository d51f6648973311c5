"""`POST /api/v1/ingest/batch # Upload multiple images`: each is taken or refused by itself, in order, and streamed."""

import pytest

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Job, Original, Tag
from media_jobs.services.uploads import backlog, intake
from tests import images
from tests.api.uploading import file, form, nothing_is_stored, post, refused
from tests.factories import make_job

pytestmark = pytest.mark.django_db

BATCH = "/api/v1/ingest/batch"
SVG, EMPTY = b"<svg xmlns='http://www.w3.org/2000/svg'/>", b""


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    return [images.jpeg(64 + n, 48) for n in range(4)]


def send(client, *contents: bytes, headers=None, **fields: str):
    names = {"images": [file(content, f"{place}.jpg") for place, content in enumerate(contents)]}
    return client.post(BATCH, {**names, **fields}, headers=headers)


def test_each_file_gets_its_own_job_in_the_order_in_which_they_came(client, photos):
    answer = send(client, *photos, tags="vacation,beach")
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (4, 0)
    assert [said["filename"] for said in body["files"]] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    for said, photo in zip(body["files"], photos, strict=True):
        assert set(said) == {"filename", "jobId", "status", "estimatedTime", "message"}
        job = Job.objects.select_related("original", "preset").get(pk=said["jobId"])
        assert (job.original.size_bytes, job.preset.name) == (len(photo), "ingest")
    assert Tag.objects.count() == 8
    assert len(list(store(Role.WORKER).keys())) == 4


@pytest.mark.parametrize("bad", [SVG, EMPTY, b"hello"], ids=["svg", "empty", "text"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_good_file_is_never_lost_to_a_bad_neighbour(client, photos, bad, place):
    contents = photos[:2]
    contents.insert(place, bad)
    answer = send(client, *contents)
    assert answer.status_code == 202
    said = answer.json()["files"]
    assert ["problem" in one for one in said] == [n == place for n in range(3)]
    problem = said[place]["problem"]
    assert (problem["status"], problem["code"]) in {(415, "unsupported_format"), (400, "empty_file")}
    assert problem["instance"] == BATCH
    assert Job.objects.count() == len(list(store(Role.WORKER).keys())) == 2


def test_a_file_that_is_too_large_is_read_past_and_the_next_is_taken(client, settings, photos):
    settings.INGEST_MAX_UPLOAD_BYTES = 20 * 1024
    answer = send(client, photos[0], photos[1].ljust(60 * 1024, b"\0"), photos[2])
    assert [one.get("problem", {}).get("code") for one in answer.json()["files"]] == [None, "file_too_large", None]
    assert not store(Role.WORKER).unfinished()
    assert len(list(store(Role.WORKER).keys())) == 2


def test_files_beyond_the_limit_are_refused_and_the_first_ones_are_not(client, settings, photos):
    settings.BATCH_MAX_FILES = 2
    answer = send(client, *photos)
    assert [one.get("problem", {}).get("code") for one in answer.json()["files"]] == [
        None, None, "too_many_files", "too_many_files",
    ]  # fmt: skip
    assert Job.objects.count() == 2


def test_the_limit_is_20_by_default(settings):
    assert settings.BATCH_MAX_FILES == 20


def test_a_backlog_that_is_full_after_the_first_refuses_the_others_with_a_time(client, settings, photos):
    settings.MAX_BACKLOG = 2
    make_job()
    said = send(client, *photos[:3]).json()["files"]
    assert [one.get("problem", {}).get("code") for one in said] == [None, "backlog_full", "backlog_full"]
    assert backlog.waiting() == 2


def test_where_all_are_refused_for_one_reason_that_is_the_answer(client, settings, photos):
    answer = send(client, SVG, SVG)
    refused(answer, 415, "unsupported_format")
    assert [one["problem"]["code"] for one in answer.json()["files"]] == ["unsupported_format"] * 2
    settings.MAX_BACKLOG = 1
    make_job()
    full = send(client, *photos[:2])
    assert (full.status_code, full.json()["code"]) == (503, "backlog_full")
    assert int(full.headers["Retry-After"]) > 0
    assert Original.objects.count() == 1


def test_where_all_are_refused_for_different_reasons_each_is_named(client):
    answer = send(client, SVG, EMPTY)
    refused(answer, 400, "batch_refused")
    assert [one["problem"]["code"] for one in answer.json()["files"]] == ["unsupported_format", "empty_file"]


def test_a_storage_that_refuses_one_takes_the_next(client, photos, monkeypatch):
    commit = intake.Upload.commit

    def refuse_the_second(self: intake.Upload) -> None:
        if self.original.filename == "1.jpg":
            raise StorageUnavailable("storing a file")
        commit(self)

    monkeypatch.setattr(intake.Upload, "commit", refuse_the_second)
    said = send(client, *photos[:3]).json()["files"]
    assert [one.get("problem", {}).get("status") for one in said] == [None, 503, None]
    assert not store(Role.WORKER).unfinished()
    assert backlog.waiting() == Job.objects.count() == 2


def test_what_is_wrong_with_the_whole_form_stores_nothing(client, photos):
    refused(client.post(BATCH), 400, "missing_file")
    refused(client.post(BATCH, {"tags": "a"}), 400, "missing_file")
    assert "“images”" in refused(client.post(BATCH, {"image": file(photos[0])}), 400, "missing_file")
    assert "“tags”" in refused(send(client, photos[0], Tags="a"), 400, "unknown_field")
    refused(send(client, *photos, preserveGps="perhaps"), 400, "bad_field")
    refused(client.post(BATCH, "{}", content_type="application/json"), 415, "unsupported_media_type")
    body = form(("images", "a.jpg", photos[0]), ("images", "b.jpg", photos[1]))
    refused(post(client, body[:-300], BATCH), 400, "bad_request")
    assert nothing_is_stored()


def test_a_request_that_declares_more_than_all_could_have_is_refused_unread(client, settings, photos):
    settings.INGEST_MAX_UPLOAD_BYTES = settings.RAW_MAX_UPLOAD_BYTES = 1000
    settings.BATCH_MAX_FILES = 2
    refused(send(client, b"x" * 140_000), 413, "file_too_large")


def test_a_bug_in_the_middle_leaves_nothing(client, photos, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(intake, "create_job", lambda *args, **kwargs: 1 / 0)
    answer = send(client, *photos)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert not Job.objects.exists()
    assert set(Original.objects.values_list("state", flat=True)) == {"deleted"}  # a worker removes their objects
    assert backlog.waiting() == 0


def test_the_same_key_gets_the_same_answer_with_its_refusals(client, photos):
    key = {"Idempotency-Key": "a"}
    first, again = (send(client, photos[0], SVG, headers=key) for _ in range(2))
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Job.objects.count() == 1
    other = send(client, photos[1], SVG, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_file_goes_to_the_storage_before_the_next_one_has_come(client, photos, monkeypatch):
    """Each is begun once its first bytes are there; nothing of it waits for the others."""
    seen: list[tuple[str, int]] = []
    write = intake.Upload.write

    def noting(self: intake.Upload, chunk: bytes) -> None:
        seen.append((self.original.filename, len(chunk)))
        write(self, chunk)

    monkeypatch.setattr(intake.Upload, "write", noting)
    large = photos[0].ljust(300_000, b"\0")
    assert send(client, large, photos[1]).json()["accepted"] == 2
    names = [name for name, _ in seen]
    assert names == sorted(names)
    assert max(size for _, size in seen) <= 131_072
