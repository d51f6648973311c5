"""POST /v1/images: what is refused and how, and that a refusal stores nothing."""

import hashlib

import pytest

from media_jobs.adapters.storage import Role, store
from media_jobs.api.shared.bodies import uploads
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Original
from media_jobs.services.uploads import intake
from media_jobs.states import OriginalState
from tests import images
from tests.api.uploading import URL, file, form, post, refused
from tests.factories import make_job

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


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


def test_a_request_without_a_file(client):
    assert "field “file”" in refused(client.post(URL), 400, "missing_file")
    refused(client.post(URL, {"preset": "gallformers"}), 400, "missing_file")
    refused(post(client, form(("file", "", b""))), 400, "missing_file")


HEADS = {
    "no name": b'Content-Disposition: form-data; name="file"',
    "no name, but a type": b'Content-Disposition: form-data; name="file"\r\nContent-Type: image/jpeg',
    "an empty name": b'Content-Disposition: form-data; name="file"; filename=""',
    "dots": b'Content-Disposition: form-data; name="file"; filename=".."',
    "Latin-1": b'Content-Disposition: form-data; name="file"; filename="caf\xe9.jpg"',
    "folded": b'Content-Disposition: form-data;\r\n name="file";\r\n\tfilename="gall.jpg"\r\nContent-Type: image/jpeg',
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
@pytest.mark.parametrize("kind", ["multipart/form-data", "Multipart/Form-Data", "MULTIPART/FORM-DATA"])
def test_the_name_of_a_file_is_only_a_label(client, photo, head, kind):
    body = b"--b\r\n" + head + b"\r\n\r\n" + photo + b"\r\n--b--\r\n"
    response = client.post(URL, body, content_type=f"{kind}; boundary=b")
    assert response.status_code == 202, response.content
    original = Original.objects.get()
    assert original.sha256 == hashlib.sha256(photo).hexdigest()
    assert original.filename in ("unnamed", "café.jpg", "gall.jpg")


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
    assert "gallformers, gallformers-legacy, ingest" in detail


def test_a_preset_that_is_not_a_name(client, photo):
    assert "preset" in refused(post(client, form(("file", "a", photo), ("preset", None, b"x" * 65))), 400, "bad_field")


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7 ...", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"hello", b"\x00" * 100, b"PK\x03\x04zip"],
)
def test_what_is_no_picture_by_its_first_bytes(client, content):
    refused(client.post(URL, {"file": file(content, "photo.jpg")}), 415, "unsupported_format")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/jpeg", "nonsense"])
def test_a_body_that_is_neither_a_form_nor_json_is_refused_by_a_sentence_about_both(client, photo, content_type):
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


def test_other_methods_are_refused_as_problems_too(client):
    refused(client.put(URL), 405, "method_not_allowed")
