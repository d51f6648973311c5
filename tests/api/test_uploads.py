"""POST /v1/images: what is accepted, what is refused and how, and that a refusal stores nothing."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.api.shared import uploads
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Job, Original
from media_jobs.pipeline.values import Focus, Keep, Overrides
from media_jobs.services.uploads import intake
from media_jobs.states import JobState, OriginalState
from tests import heif, images, raws
from tests.factories import make_job

pytestmark = pytest.mark.django_db

URL = "/v1/images"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


def file(content: bytes, name: str = "gall.jpg") -> SimpleUploadedFile:
    # The claimed type is wrong on purpose: only the bytes count.
    return SimpleUploadedFile(name, content, content_type="application/x-nonsense")


def form(*parts: tuple[str, str | None, bytes], boundary: str = "b") -> bytes:
    """A multipart body; parts are (field, file name or None, content)."""
    body = b""
    for field, filename, content in parts:
        name = f'; filename="{filename}"' if filename is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{name}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def post(client: Client, body: bytes, url: str = URL):
    return client.post(url, body, content_type="multipart/form-data; boundary=b")


def nothing_is_stored() -> bool:
    stored, unfinished = list(store(Role.WORKER).keys()), store(Role.WORKER).unfinished()
    return not (Original.objects.exists() or Job.objects.exists() or stored or unfinished)


def refused(response, status: int, code: str) -> str:
    """Asserts a problem document with nothing stored; returns its sentence."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"], problem["instance"]) == (status, code, response.request["PATH_INFO"])
    assert problem["type"] == f"urn:gallimg:problem:{code}"
    assert nothing_is_stored()
    return str(problem["detail"])


@pytest.mark.parametrize("url", ["/v1/images", "/v1/jobs"])
def test_an_upload_is_accepted_with_ids_and_where_to_look(client, photo, url):
    response = client.post(url, {"file": file(photo)})
    assert response.status_code == 202
    answer = response.json()
    assert set(answer) == {"jobId", "imageId", "estimatedTime"}
    assert response.headers["Location"] == f"/v1/jobs/{answer['jobId']}"
    assert int(response.headers["Retry-After"]) >= 1
    original = Original.objects.get(pk=answer["imageId"])
    assert (original.state, original.content_type, original.filename) == (
        OriginalState.ACTIVE,
        "image/jpeg",
        "gall.jpg",
    )


@pytest.mark.parametrize("url", ["/v1/images", "/v1/jobs"])
def test_what_is_asked_of_a_picture_is_kept_with_it(client, photo, url):
    fields = {
        "preserveTimestamps": "false",
        "preserveCameraInfo": "0",
        "preserveGps": "true",
        "preserveDeviceSerial": "1",
        "rotation": "270",
        "focus": "0.5, 0.25",
    }
    assert client.post(url, {"file": file(photo), **fields}).status_code == 202
    original = Original.objects.get()
    assert original.keep(Keep()) == Keep(timestamps=False, camera_info=False, gps=True, device_serial=True)
    assert original.overrides() == Overrides(270, Focus(0.5, 0.25))


def test_what_is_not_asked_for_is_left_to_the_settings(client, photo):
    empty = dict.fromkeys(("preset", "preserveTimestamps", "rotation", "focus"), "")
    client.post(URL, {"file": file(photo), "preserveGps": "false", **empty})
    original = Original.objects.get()
    assert original.preserve == {"gps": False}
    assert original.overrides() == Overrides()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("preserveGps", "perhaps"),
        ("preserveDeviceSerial", "2"),
        ("rotation", "45"),
        ("rotation", "-90"),
        ("rotation", "90.0"),
        ("focus", "0.5"),
        ("focus", "0.5,0.5,0.5"),
        ("focus", "0.5,1.01"),
        ("focus", "-0.1,0"),
        ("focus", "nan,0"),
        ("focus", "inf,0"),
        ("focus", "left,top"),
        ("focus", "9" * 60_000 + ",0"),
    ],
)
def test_a_field_that_makes_no_sense_is_named_with_what_it_takes(client, photo, field, value):
    detail = refused(client.post(URL, {"file": file(photo), field: value}), 400, "bad_field")
    assert detail.startswith(f"{field}: ")
    assert len(detail) < 200


@pytest.mark.parametrize("order", ["before", "after"])
def test_text_fields_may_come_before_or_after_the_file(client, photo, order):
    parts = [("preset", None, b"ingest"), ("file", "a.jpg", photo)]
    assert post(client, form(*(parts if order == "before" else parts[::-1]))).status_code == 202
    assert Job.objects.get().preset.name == "ingest"


def test_the_bytes_are_stored_as_they_came(client, tmp_path):
    photo = images.jpeg(700, 500)
    client.post(URL, {"file": file(photo)})
    store(Role.WORKER).fetch(Original.objects.get().key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == photo


def test_a_request_without_a_file(client):
    assert "field “file”" in refused(client.post(URL), 400, "missing_file")
    refused(client.post(URL, {"preset": "gallformers"}), 400, "missing_file")
    refused(post(client, form(("file", "", b""))), 400, "missing_file")


def test_a_file_in_another_field_says_which_one_is_meant(client, photo):
    assert "send it in “file”" in refused(client.post(URL, {"image": file(photo)}), 400, "missing_file")


def test_an_empty_file(client):
    refused(client.post(URL, {"file": file(b"")}), 400, "empty_file")


def test_two_files(client, photo):
    body = form(("file", "a.jpg", photo), ("file", "b.jpg", photo))
    refused(post(client, body), 400, "too_many_files")


@pytest.mark.parametrize("order", ["before", "after"])
def test_an_unknown_preset_names_the_known_ones(client, photo, order):
    parts = [("preset", None, b"galformers"), ("file", "a.jpg", photo)]
    detail = refused(post(client, form(*(parts if order == "before" else parts[::-1]))), 400, "unknown_preset")
    assert "gallformers, ingest" in detail


def test_a_preset_that_is_not_a_name(client, photo):
    assert "preset" in refused(post(client, form(("file", "a", photo), ("preset", None, b"x" * 65))), 400, "bad_field")


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7 ...", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"hello", b"\x00" * 100, b"PK\x03\x04zip"],
)
def test_what_is_no_picture_by_its_first_bytes(client, content):
    refused(client.post(URL, {"file": file(content, "photo.jpg")}), 415, "unsupported_format")


def test_every_format_that_the_documents_name_is_accepted(client):
    preview = images.jpeg(64, 48)
    pictures = {
        "jpeg": preview,
        "png": images.png(8, 8),
        "webp": images.webp(8, 8),
        "gif": images.gif(8, 8),
        "tiff": images.tiff(8, 8),
        "avif": heif.grid(heif.AV1),
        "heic": heif.grid(heif.HEVC),
        "bmp": images.bmp(),
        "dng": raws.dng(preview),
        "cr2": raws.cr2(preview),
        "cr3": raws.cr3(preview, preview),
        "nef": raws.nef(preview),
        "arw": raws.arw(preview),
        "raf": raws.raf(preview),
        "orf": raws.orf(preview),
        "rw2": raws.rw2(preview),
    }
    for known_as, content in pictures.items():
        answer = client.post(URL, {"file": file(content)})
        assert answer.status_code == 202
        assert Original.objects.get(pk=answer.json()["imageId"]).format == known_as


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/jpeg", "nonsense"])
def test_a_body_that_is_neither_a_form_nor_json_is_told_of_both(client, photo, content_type):
    detail = refused(client.post(URL, photo, content_type=content_type), 415, "unsupported_media_type")
    assert "multipart/form-data" in detail
    assert "application/json" in detail


def test_a_form_that_breaks_off(client, photo):
    body = form(("file", "a.jpg", photo))
    refused(post(client, body[: len(body) // 2]), 400, "bad_request")


def test_a_file_over_the_limit(client, settings, photo):
    settings.MAX_UPLOAD_BYTES = 1000
    assert "0.0009" in refused(client.post(URL, {"file": file(photo[:3] * 400)}), 413, "file_too_large")


def test_each_kind_of_file_has_its_own_limit_and_both_are_said(client, settings):
    settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES = 20 * 1024, 200 * 1024
    jpeg, raw = images.jpeg(16, 16), images.raw_tiff((0xC612, 4, 1))
    assert client.post(URL, {"file": file(raw.ljust(200 * 1024, b"\0"))}).status_code == 202
    assert Original.objects.get().format == "dng"
    store(Role.WORKER).delete(Original.objects.get().key)
    Original.objects.all().delete()
    for content in (jpeg.ljust(20 * 1024 + 1, b"\0"), raw.ljust(200 * 1024 + 1, b"\0")):
        detail = refused(client.post(URL, {"file": file(content)}), 413, "file_too_large")
        assert "0.0195312 MB" in detail
        assert "camera raw files 0.195312 MB" in detail


def test_a_picture_that_is_declared_too_large_is_refused_by_its_first_bytes(client, settings, photo, monkeypatch):
    settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES = 500_000, 10_000_000
    monkeypatch.setattr(intake, "Upload", None)  # nothing may be begun
    refused(client.post(URL, {"file": file(photo.ljust(9_000_000, b"\0"))}), 413, "file_too_large")


def test_a_declared_length_over_the_limit_is_refused_unread(client, settings, photo, monkeypatch):
    settings.MAX_UPLOAD_BYTES = settings.RAW_MAX_UPLOAD_BYTES = 1000
    monkeypatch.setattr(uploads.FileStream, "new_file", None)
    refused(client.post(URL, {"file": file(photo * 400)}), 413, "file_too_large")


def test_text_that_is_too_large(client, photo):
    refused(post(client, form(("file", "a.jpg", photo), ("note", None, b"x" * 70_000))), 413, "fields_too_large")


def test_too_many_fields(client, photo):
    fields = [(f"f{n}", None, b"") for n in range(1500)]
    refused(post(client, form(("file", "a.jpg", photo), *fields)), 400, "bad_request")


def test_a_full_backlog_is_said_before_anything_is_stored(client, settings, photo):
    settings.MAX_BACKLOG = 1
    make_job()
    response = client.post(URL, {"file": file(photo)})
    assert (response.status_code, response.json()["code"]) == (503, "backlog_full")
    assert int(response.headers["Retry-After"]) > 0
    assert Original.objects.count() == 1
    assert list(store(Role.WORKER).keys()) == []


def test_a_full_disk_is_said_before_anything_is_stored(client, settings, photo):
    settings.MIN_FREE_DISK_BYTES = 2**62
    response = client.post(URL, {"file": file(photo)})
    refused(response, 503, "storage_full")
    assert int(response.headers["Retry-After"]) > 0


def test_the_estimate_and_when_to_look_again_follow_from_what_was_done_and_what_waits(client, photo):
    make_job(state=JobState.DONE, worker="a", duration_ms=2_500, finished_at=timezone.now())
    assert client.post(URL, {"file": file(photo)}).json()["estimatedTime"] == 2_500
    response = client.post(URL, {"file": file(photo)})
    assert response.json()["estimatedTime"] == 5_000
    assert response.headers["Retry-After"] == "5"
    for _ in range(100):
        make_job()
    assert client.post(URL, {"file": file(photo)}).headers["Retry-After"] == "60"


def test_the_same_bytes_again_name_what_is_there_already(client, photo):
    first = client.post(URL, {"file": file(photo)}).json()
    again = client.post(URL, {"file": file(photo, "other.jpg")}).json()
    assert "duplicateOf" not in first
    assert again["duplicateOf"] == first["imageId"]
    assert again["imageId"] != first["imageId"]
    assert Job.objects.count() == 2


@pytest.mark.parametrize("difference", [{"owner": "staff:1"}, {"state": OriginalState.DELETED}, {"sha256": "0" * 64}])
def test_what_is_anothers_or_gone_or_different_is_no_duplicate(client, photo, difference):
    client.post(URL, {"file": file(photo)})
    Original.objects.update(**difference)
    assert "duplicateOf" not in client.post(URL, {"file": file(photo)}).json()


@pytest.mark.parametrize(("key", "at_most"), [({}, 14), ({"Idempotency-Key": "k"}, 18)], ids=["", "with a key"])
def test_accepting_takes_few_queries_however_much_waits(client, photo, django_assert_max_num_queries, key, at_most):
    for _ in range(30):
        make_job()
    client.post(URL, {"file": file(photo)})
    with django_assert_max_num_queries(at_most):
        assert client.post(URL, {"file": file(photo)}, headers=key).status_code == 202


def test_a_storage_that_is_away_is_said_with_a_time_to_come_back(client, monkeypatch, photo):
    def away(self: object, chunk: bytes) -> None:
        raise StorageUnavailable("taking the upload")

    monkeypatch.setattr(intake.Upload, "write", away)
    response = client.post(URL, {"file": file(photo)})
    refused(response, 503, "storage_unavailable")
    assert response.headers["Retry-After"]


def test_an_error_of_ours_says_nothing_of_itself_and_stores_nothing(client, monkeypatch, photo):
    client.raise_request_exception = False
    monkeypatch.setattr(intake, "create_job", lambda *args, **kwargs: 1 / 0)
    response = client.post(URL, {"file": file(photo)})
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert b"ZeroDivision" not in response.content
    assert not Original.objects.filter(state=OriginalState.ACTIVE).exists()


def test_staff_signed_in_by_cookie_must_send_the_csrf_header(photo):
    client = Client(enforce_csrf_checks=True)
    user = User.objects.create_user("curator", is_staff=True)
    client.force_login(user)
    refused(client.post(URL, {"file": file(photo)}), 403, "permission_denied")
    client.get("/admin/")
    token = "a" * 32
    client.cookies["csrftoken"] = token
    response = client.post(URL, {"file": file(photo)}, headers={"X-CSRFToken": token})
    assert response.status_code == 202
    assert Original.objects.get().owner == f"staff:{user.pk}"


def test_other_methods_are_refused_as_problems_too(client):
    refused(client.get(URL), 405, "method_not_allowed")
