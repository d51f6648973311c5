"""POST /v1/images for a file that its uploader has stored: the image made of it, and what is shown of both."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.models import DirectUpload, Job, Original
from media_jobs.pipeline.values import Focus, Keep, Overrides
from media_jobs.states import OriginalState
from tests import images, people, working
from tests.api.uploads.direct_uploading import IMAGES, JSON, accept, begin, refused, staged
from tests.factories import make_job

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


@pytest.fixture
def staff() -> Client:
    return people.staff(*people.CURATOR)


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


def test_a_full_backlog_is_said_before_anything_is_promised(client: Client, photo: bytes, settings: Any) -> None:
    upload_id = staged(client, photo)
    settings.MAX_BACKLOG = 1
    make_job()
    for response in (begin(client), accept(client, upload_id)):
        refused(response, 503, "backlog_full")
        assert int(response.headers["Retry-After"]) > 0
    assert DirectUpload.objects.count() == 1
    assert Job.objects.count() == 1


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
def test_what_arrived_and_is_not_as_announced_is_shown_with_its_job(
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


def test_a_form_stores_the_bytes_as_they_came(client: Client, tmp_path: Any) -> None:
    photo = images.jpeg(900, 700)
    upload_id = staged(client, photo)
    store(Role.WORKER).fetch(f"uploads/{upload_id}", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == photo
