"""POST /v1/images: what is accepted, and what is answered and kept."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.models import Job, Original
from media_jobs.pipeline.values import Focus, Keep, Overrides
from media_jobs.states import JobState, OriginalState
from tests import images
from tests.api.uploading import URL, file, form, post, refused
from tests.factories import make_job
from tests.formats import heif, raws

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


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
