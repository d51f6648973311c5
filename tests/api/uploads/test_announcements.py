"""POST /v1/uploads: the form for a file that is announced, and what gets none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from media_jobs.models import DirectUpload, Original
from tests.api.uploads.direct_uploading import BEGIN, IMAGES, JSON, begin, refused

pytestmark = pytest.mark.django_db


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


def test_a_full_disk_is_said_before_anything_is_promised(client: Client, settings: Any) -> None:
    settings.MIN_FREE_DISK_BYTES = 2**62
    refused(begin(client), 503, "storage_full")
    assert not DirectUpload.objects.exists()


def test_staff_signed_in_by_cookie_must_send_the_csrf_header() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("curator", is_staff=True))
    refused(begin(client), 403, "permission_denied")
    client.cookies["csrftoken"] = token = "a" * 32
    said = {"filename": "gall.jpg"}
    response = client.post(BEGIN, said, content_type=JSON, headers={"X-CSRFToken": token})
    assert response.status_code == 201
