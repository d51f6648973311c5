"""POST /v1/uploads and what follows: the form, the image made of what was stored by it, and what is told of both."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.models import DirectUpload, Job, Original
from media_jobs.pipeline.values import Focus, Keep, Overrides
from media_jobs.states import OriginalState
from tests import images, working
from tests.factories import make_job

pytestmark = pytest.mark.django_db

BEGIN, IMAGES = "/v1/uploads", "/v1/images"
JSON = "application/json"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("curator", is_staff=True))
    return client


def begin(client: Client, **said: Any) -> Any:
    return client.post(BEGIN, {"filename": "gall.jpg", "contentType": "image/jpeg", **said}, content_type=JSON)


def send(form: dict[str, Any], content: bytes) -> Any:
    """What a browser does with the form; it has no cookie for where the form goes."""
    where = urlsplit(form["url"])
    file = SimpleUploadedFile("gall.jpg", content, content_type="application/x-nonsense")
    return Client().post(f"{where.path}?{where.query}", {**form["fields"], "file": file})


def staged(client: Client, content: bytes, **said: Any) -> str:
    """The id of an upload whose file has arrived."""
    form = begin(client, **said).json()
    assert send(form, content).status_code == 204
    return str(form["uploadId"])


def accept(client: Client, upload_id: str, *, url: str = IMAGES, key: str | None = None, **fields: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(url, {"uploadId": upload_id, **fields}, content_type=JSON, headers=headers)


def refused(response: Any, status: int, code: str) -> str:
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"], problem["instance"]) == (status, code, response.request["PATH_INFO"])
    return str(problem["detail"])


def test_a_form_says_all_that_is_needed_to_store_one_file(client: Client) -> None:
    before = timezone.now()
    response = begin(client, bytes=1234)
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.json()
    assert set(answer) == {"uploadId", "url", "fields", "expiresAt", "maxBytes"}
    assert answer["fields"]["key"] == f"uploads/{answer['uploadId']}"
    assert answer["fields"]["Content-Type"] == "image/jpeg"
    assert answer["maxBytes"] == 1234
    expires = datetime.strptime(answer["expiresAt"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(minutes=14) < expires - before < timedelta(minutes=16)
    assert not Original.objects.exists()


def test_without_a_size_a_file_may_be_as_large_as_its_kind_allows(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES = 1000, 2000
    assert begin(client).json()["maxBytes"] == 1000
    assert begin(client, contentType="image/x-nikon-nef").json()["maxBytes"] == 2000


def test_where_the_browser_does_not_know_the_type_the_name_decides(client: Client) -> None:
    for unknown in ({"contentType": ""}, {"contentType": "application/octet-stream"}):
        assert begin(client, filename="a.HEIC", **unknown).json()["fields"]["Content-Type"] == "image/heic"
    only_a_name = client.post(BEGIN, {"filename": "a.nef"}, content_type=JSON)
    assert only_a_name.json()["fields"]["Content-Type"] == "image/x-nikon-nef"


@pytest.mark.parametrize("url", ["/v1/images", "/v1/jobs"])
def test_a_file_that_was_stored_by_its_uploader_becomes_an_image_like_any_other(
    client: Client, photo: bytes, url: str
) -> None:
    upload_id = staged(client, photo, bytes=len(photo), sha256=hashlib.sha256(photo).hexdigest().upper())
    response = accept(client, upload_id, url=url, preset="ingest")
    assert response.status_code == 202
    answer = response.json()
    assert set(answer) == {"jobId", "imageId", "estimatedTime"}
    assert response.headers["Location"] == f"/v1/jobs/{answer['jobId']}"
    assert int(response.headers["Retry-After"]) >= 1
    working.run(answer["jobId"])
    assert client.get(response.headers["Location"]).json()["status"] == "done"
    image = client.get(f"/v1/images/{answer['imageId']}").json()
    assert (image["bytes"], image["sha256"]) == (len(photo), hashlib.sha256(photo).hexdigest())
    assert (image["filename"], image["contentType"]) == ("gall.jpg", "image/jpeg")


def test_until_it_is_checked_nobody_says_what_it_is(client: Client, staff: Client, photo: bytes) -> None:
    image = f"/v1/images/{accept(client, staged(client, photo)).json()['imageId']}"
    answer = client.get(image).json()
    assert (answer["bytes"], answer["sha256"]) == (None, None)
    assert len(answer["jobs"]) == 1
    refused(staff.get(f"{image}/original"), 409, "wrong_state")
    refused(client.get(f"{image}/original"), 403, "permission_denied")


def test_the_same_is_asked_of_a_picture_as_in_a_form(client: Client, photo: bytes) -> None:
    fields: dict[str, Any] = {
        "preserveTimestamps": False,
        "preserveCameraInfo": "false",
        "preserveGps": True,
        "preserveDeviceSerial": None,
        "rotation": 270,
        "focus": "0.5,0.25",
        "preset": "",
    }
    assert accept(client, staged(client, photo), **fields).status_code == 202
    original = Original.objects.get()
    assert original.preserve == {"timestamps": False, "camera_info": False, "gps": True}
    assert original.keep(Keep()).gps is True
    assert original.overrides() == Overrides(270, Focus(0.5, 0.25))
    assert Job.objects.get().preset.name == "gallformers"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"filename": None}, "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": "a\0.jpg"}, "filename"),
        ({"filename": "\ud800.jpg"}, "filename"),
        ({"filename": "a" * 256}, "filename"),
        ({"filename": ["a"]}, "filename"),
        ({"contentType": {}}, "contentType"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": "many"}, "bytes"),
        ({"bytes": True}, "bytes"),
        ({"sha256": "abc"}, "sha256"),
        ({"sha256": "g" * 64}, "sha256"),
    ],
)
def test_an_announcement_that_makes_no_sense_names_its_field(client: Client, said: Any, field: str) -> None:
    assert refused(begin(client, **said), 400, "bad_field").startswith(f"{field}: ")
    assert not DirectUpload.objects.exists()


@pytest.mark.parametrize("name", ["/home/ada/gall.jpg", r"C:\pictures\gall.jpg", "../gall.jpg"])
def test_the_folders_of_a_file_are_nobodys_business(client: Client, name: str) -> None:
    begin(client, filename=name)
    assert DirectUpload.objects.get().filename == "gall.jpg"


def test_what_is_too_large_or_no_picture_gets_no_form(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    refused(begin(client, bytes=1001), 413, "file_too_large")
    refused(begin(client, bytes=10**30), 413, "file_too_large")
    refused(begin(client, contentType="image/svg+xml"), 415, "unsupported_format")
    refused(begin(client, contentType="", filename="page.html"), 415, "unsupported_format")
    refused(client.post(BEGIN, {"filename": "a.jpg"}), 415, "unsupported_media_type")  # a form
    assert not DirectUpload.objects.exists()


@pytest.mark.parametrize("url", [BEGIN, IMAGES])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"null", b"1", b"\xff\xfe", b"[" * 60_000, b'{"filename": NaN}']
)
def test_what_is_no_object_is_refused(client: Client, url: str, body: bytes) -> None:
    response = client.post(url, body, content_type=JSON)
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("url", [BEGIN, IMAGES])
def test_an_object_that_is_too_large_is_not_read(client: Client, url: str) -> None:
    refused(client.post(url, {"filename": "a" * 70_000}, content_type=JSON), 413, "fields_too_large")


def test_a_full_backlog_is_said_before_anything_is_promised(client: Client, photo: bytes, settings: Any) -> None:
    upload_id = staged(client, photo)
    settings.MAX_BACKLOG = 1
    make_job()
    for response in (begin(client), accept(client, upload_id)):
        refused(response, 503, "backlog_full")
        assert int(response.headers["Retry-After"]) > 0
    assert DirectUpload.objects.count() == 1
    assert Job.objects.count() == 1


def test_a_full_disk_is_said_before_anything_is_promised(client: Client, settings: Any) -> None:
    settings.MIN_FREE_DISK_BYTES = 2**62
    refused(begin(client), 503, "storage_full")
    assert not DirectUpload.objects.exists()


def test_an_upload_becomes_one_image(client: Client, photo: bytes) -> None:
    upload_id = staged(client, photo)
    assert accept(client, upload_id).status_code == 202
    refused(accept(client, upload_id), 409, "upload_used")
    assert Job.objects.count() == 1


def test_an_upload_that_was_begun_long_ago_becomes_none(client: Client, photo: bytes) -> None:
    upload_id = staged(client, photo)
    DirectUpload.objects.update(created_at=timezone.now() - timedelta(hours=2))
    refused(accept(client, upload_id), 409, "upload_expired")


def test_an_upload_is_its_owners(client: Client, staff: Client, photo: bytes) -> None:
    refused(accept(client, staged(staff, photo)), 400, "unknown_upload")
    refused(accept(staff, staged(client, photo)), 400, "unknown_upload")
    refused(accept(client, "00000000-0000-7000-8000-000000000000"), 400, "unknown_upload")
    assert "uploadId" in refused(accept(client, "no-id"), 400, "bad_field")
    assert "uploadId" in refused(client.post(IMAGES, {"preset": "ingest"}, content_type=JSON), 400, "bad_field")
    assert not Job.objects.exists()


def test_a_request_that_was_refused_uses_no_upload_up(client: Client, photo: bytes) -> None:
    upload_id = staged(client, photo)
    refused(accept(client, upload_id, rotation=45), 400, "bad_field")
    refused(accept(client, upload_id, preset="nonsense"), 400, "unknown_preset")
    assert accept(client, upload_id).status_code == 202


def test_the_same_request_gets_the_same_answer(client: Client, photo: bytes, settings: Any) -> None:
    upload_id = staged(client, photo)
    first = accept(client, upload_id, key="k", rotation=90)
    settings.MAX_BACKLOG = 1
    again = accept(client, upload_id, key="k", rotation=90)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Job.objects.count() == 1
    refused(accept(client, upload_id, key="k", rotation=180), 422, "idempotency_key_reused")
    refused(accept(client, staged_id_of_another(client), key="k", rotation=90), 422, "idempotency_key_reused")
    file = SimpleUploadedFile("gall.jpg", photo)
    refused(
        client.post(IMAGES, {"file": file, "rotation": "90"}, headers={"Idempotency-Key": "k"}),
        422,
        "idempotency_key_reused",
    )


def staged_id_of_another(client: Client) -> str:
    return str(DirectUpload.objects.create(owner="anonymous", content_type="image/jpeg", key="uploads/another").pk)


@pytest.mark.parametrize(
    ("said", "arrives", "code"),
    [
        ({}, None, "upload_missing"),
        ({"sha256": "0" * 64}, images.jpeg(64, 48), "upload_mismatch"),
        ({}, b"%PDF-1.7 and more", "unsupported_format"),
        ({"contentType": "image/x-nikon-nef"}, images.jpeg(64, 48).ljust(1500, b"\0"), "file_too_large"),
    ],
)
def test_what_arrived_and_is_not_as_announced_is_told_with_its_job(
    client: Client, settings: Any, said: dict[str, str], arrives: bytes | None, code: str
) -> None:
    settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES = 1400, 4000
    upload_id = begin(client, **said).json()["uploadId"] if arrives is None else staged(client, arrives, **said)
    job = accept(client, upload_id).json()["jobId"]
    working.run(job)
    answer = client.get(f"/v1/jobs/{job}").json()
    assert (answer["status"], answer["code"]) == ("error", code)
    assert answer["detail"].endswith(".")
    assert not Original.objects.filter(state=OriginalState.ACTIVE).exists()


def test_staff_signed_in_by_cookie_must_send_the_csrf_header(photo: bytes) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("curator", is_staff=True))
    refused(begin(client), 403, "permission_denied")
    client.cookies["csrftoken"] = token = "a" * 32
    said = {"filename": "gall.jpg"}
    response = client.post(BEGIN, said, content_type=JSON, headers={"X-CSRFToken": token})
    assert response.status_code == 201


def test_a_form_stores_the_bytes_as_they_came(client: Client, tmp_path: Any) -> None:
    photo = images.jpeg(900, 700)
    upload_id = staged(client, photo)
    store(Role.WORKER).fetch(f"uploads/{upload_id}", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == photo
