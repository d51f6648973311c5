"""/api/v1/ingest: each line of the Ingestion document's REST section, by its field names, and what it leaves open."""

import json
from uuid import UUID

import pytest
from django.test import Client

from media_jobs.api.ingest import serializers
from media_jobs.models import Job, Original, Tag
from media_jobs.pipeline.recipes import INGEST, Format
from media_jobs.services.jobs.heartbeat import PROGRESS
from media_jobs.states import JobState, Lane, Stage
from tests import images, people, working
from tests.api import signing
from tests.api.uploading import file, form, nothing_is_stored, post, refused
from tests.factories import make_failed_job, make_job, make_original
from tests.formats import raws

pytestmark = pytest.mark.django_db

UPLOAD, STATUS = "/api/v1/ingest/upload", "/api/v1/ingest/status"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


def done(job: Job) -> Job:
    working.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.detail
    return job


# --- POST /api/v1/ingest/upload        # Upload single image --------------------------------------


def test_an_upload_in_the_field_image_is_accepted_in_the_documents_words(client, photo):
    """`{"jobId": …, "status": "processing", "estimatedTime": 5000, "message": "Image upload accepted, …"}`."""
    answer = client.post(UPLOAD, {"image": file(photo)})
    assert answer.status_code == 202
    body = answer.json()
    assert list(body) == ["jobId", "status", "estimatedTime", "message"]
    assert (body["status"], body["estimatedTime"]) == ("processing", 5000)  # of a service that has no history
    assert body["message"] == "Image upload accepted, processing started"
    assert answer.headers["Location"] == f"{STATUS}/{body['jobId']}"
    assert int(answer.headers["Retry-After"]) >= 1
    job = Job.objects.get(pk=UUID(body["jobId"]))
    assert (job.preset.name, job.lane) == ("ingest", Lane.INTERACTIVE)


def test_the_estimated_time_comes_from_history(client, photo):
    job = make_job(state=JobState.DONE, duration_ms=700, worker="a")
    Job.objects.filter(pk=job.pk).update(finished_at=job.created_at)
    assert client.post(UPLOAD, {"image": file(photo)}).json()["estimatedTime"] == 700


def test_the_request_of_the_document_is_taken_as_it_stands_there(client, photo):
    """Boundary, `name="image"; filename="photo.jpg"`, `Content-Type: image/jpeg`, `name="tags"`: to the letter."""
    body = (
        b'--boundary\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" + photo + b"\r\n--boundary\r\n"
        b'Content-Disposition: form-data; name="tags"\r\n\r\nvacation,beach,2024\r\n--boundary--\r\n'
    )
    answer = client.post(UPLOAD, body, content_type="multipart/form-data; boundary=boundary")
    assert answer.status_code == 202
    assert Original.objects.get().filename == "photo.jpg"
    assert list(Tag.objects.values_list("name", flat=True)) == ["2024", "beach", "vacation"]


def test_the_documents_credential_lets_its_bearer_upload_follow_and_cancel(settings, photo):
    """`Authorization: Bearer <jwt-token>`, on upload as on status."""
    settings.JWT_SECRET, settings.ALLOW_ANONYMOUS = signing.SECRET, False
    bearer, other = people.program(signing.token(sub="ada")), people.program(signing.token(sub="bob"))
    assert Client().post(UPLOAD, {"image": file(photo)}).status_code == 401
    job_id = bearer.post(UPLOAD, {"image": file(photo)}).json()["jobId"]
    assert bearer.get(f"{STATUS}/{job_id}").json()["status"] == "processing"
    assert (Client().get(f"{STATUS}/{job_id}").status_code, other.get(f"{STATUS}/{job_id}").status_code) == (401, 404)
    assert bearer.delete(f"/api/v1/ingest/{job_id}").json()["status"] == "cancelled"


def test_other_fields_other_files_and_other_bodies_are_refused_as_problems(client, photo):
    assert "“image”" in refused(client.post(UPLOAD, {"file": file(photo)}), 400, "missing_file")
    assert "“tags”" in refused(client.post(UPLOAD, {"image": file(photo), "tag": "a"}), 400, "unknown_field")
    refused(client.post(UPLOAD, {"image": file(photo), "preset": "gallformers"}), 400, "unknown_field")
    refused(client.post(UPLOAD, {"image": [file(photo), file(photo)]}), 400, "too_many_files")
    refused(client.post(UPLOAD, {"image": file(b"%PDF-1.7 ...")}), 415, "unsupported_format")
    refused(client.post(UPLOAD, photo, content_type="image/jpeg"), 415, "unsupported_media_type")
    refused(client.get(UPLOAD), 405, "method_not_allowed")


def test_the_limit_is_15_mb_and_a_setting_of_its_own(client, settings, photo):
    """`const MaxUploadSize = 15 * 1024 * 1024 // 15MB`; RAW files “can be uploaded unprocessed”."""
    assert settings.INGEST_MAX_UPLOAD_BYTES == 15 * 1024 * 1024 < settings.MAX_UPLOAD_BYTES
    settings.INGEST_MAX_UPLOAD_BYTES = 20 * 1024
    assert "0.0195312 MB" in refused(
        client.post(UPLOAD, {"image": file(photo.ljust(20 * 1024 + 1, b"\0"))}), 413, "file_too_large"
    )
    assert client.post("/v1/images", {"file": file(photo.ljust(20 * 1024 + 1, b"\0"))}).status_code == 202
    raw = images.raw_tiff((0xC612, 4, 1)).ljust(200 * 1024, b"\0")
    assert client.post(UPLOAD, {"image": file(raw, "a.dng")}).status_code == 202


def test_the_same_key_gets_the_same_answer_and_another_request_is_refused(client, photo):
    key = {"Idempotency-Key": "a"}
    first, again = (client.post(UPLOAD, {"image": file(photo)}, headers=key) for _ in range(2))
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = client.post(UPLOAD, {"image": file(photo), "tags": "a"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Job.objects.count() == 1


# --- GET /api/v1/ingest/status/:jobId  # Check processing status ----------------------------------


def test_a_job_in_work_says_progress_and_stage(client):
    """`{"jobId": …, "status": "processing", "progress": 60, "stage": "generating_variants"}`."""
    job = working.claim(make_job(preset="ingest").pk, "a")
    Job.objects.filter(pk=job.pk).update(stage=Stage.RENDERING, progress=60)
    answer = client.get(f"{STATUS}/{job.pk}")
    assert answer.json() == {
        "jobId": str(job.pk), "status": "processing", "progress": 60, "stage": "generating_variants",
    }  # fmt: skip
    assert int(answer.headers["Retry-After"]) >= 1


def test_every_state_and_every_stage_has_a_word():
    assert set(serializers.STATUS) == set(JobState)
    assert set(serializers.STAGE) == set(Stage)
    stages = [(Stage.WAITING, 0), *((s, p) for s, p in PROGRESS.items() if s != Stage.FINISHED), (Stage.RENDERING, 40)]
    said = {serializers.stage_of(Job(stage=stage, progress=progress)) for stage, progress in stages}
    assert said == set(serializers.STAGES)
    assert serializers.stage_of(Job(stage=Stage.RENDERING, progress=15)) == "extracting_metadata"


def test_a_completed_job_has_urls_and_metadata(client):
    """`status: completed`, `imageId`, `urls` {thumbnail, web, original} and `metadata` {width … cameraModel}."""
    photo = images.jpeg(2400, 1800, facts=images.CAMERA)
    job_id = client.post(UPLOAD, {"image": file(photo)}).json()["jobId"]
    job = done(Job.objects.get(pk=UUID(job_id)))
    answer = client.get(f"{STATUS}/{job_id}").json()
    assert list(answer) == ["jobId", "status", "imageId", "urls", "metadata"]
    assert (answer["jobId"], answer["status"], answer["imageId"]) == (job_id, "completed", str(job.original_id))
    assert set(answer["urls"]) == {"thumbnail", "thumbnail_legacy", "web", "web_legacy", "original"}
    assert answer["urls"]["thumbnail"].endswith(".webp")
    assert answer["urls"]["web"].endswith(".webp")
    assert answer["urls"]["thumbnail_legacy"].endswith(".jpg")
    assert answer["urls"]["web_legacy"].endswith(".jpg")
    assert answer["urls"]["original"].endswith(f"/v1/images/{job.original_id}/original")
    assert answer["metadata"] == {
        "width": 2400, "height": 1800, "captureDate": "2024-05-01T12:30:00+02:00", "cameraMake": "Gallmann",
        "cameraModel": "Pocket G1",
    }  # fmt: skip


def test_every_address_of_a_completed_job_leads_to_its_file(client, settings):
    job = done(make_job(make_original(images.jpeg(2400, 1800)), preset="ingest"))
    urls = client.get(f"{STATUS}/{job.pk}").json()["urls"]
    sizes = {d.rendition.replace("-", "_"): (d.width_px, d.height_px) for d in job.made.all()}
    assert sizes == {
        "thumbnail": (300, 225), "thumbnail_legacy": (300, 225), "web": (1920, 1440), "web_legacy": (1920, 1440),
    }  # fmt: skip
    for name, url in urls.items():
        answer = client.get(url.removeprefix(settings.PUBLIC_BASE_URL))
        assert b"".join(answer) if answer.streaming else True  # read to the end, the client closes it
        assert answer.status_code == (403 if name == "original" else 200), name
    original = people.staff(*people.CURATOR).get(urls["original"].removeprefix(settings.PUBLIC_BASE_URL))
    assert original.status_code == 302


def test_the_variants_are_those_of_the_document():
    """`{"thumbnail", 300, "webp", 85}`, `{"thumbnail_legacy", 300, "jpeg", 85}`, `{"web", 1920, "webp", 90}`, …"""
    wanted = (
        ("thumbnail", 300, Format.WEBP, 85),
        ("thumbnail_legacy", 300, Format.JPEG, 85),
        ("web", 1920, Format.WEBP, 90),
        ("web_legacy", 1920, Format.JPEG, 90),
    )
    assert [(r.name.replace("-", "_"), r.side_px, r.format, r.quality) for r in INGEST.renditions] == list(wanted)


@pytest.mark.parametrize("by", ["field", "setting"])
def test_a_position_is_there_only_where_it_was_asked_for_and_for_who_may_see_it(client, settings, by):
    """`PreserveGPS: false` by default, `metadata["gps"] = {latitude, longitude}` where somebody opted in."""
    photo = images.jpeg(64, 48, facts=images.CAMERA)
    without = client.post(UPLOAD, {"image": file(photo)}).json()["jobId"]
    done(Job.objects.get(pk=UUID(without)))
    settings.PRESERVE_GPS = by == "setting"
    fields = {"preserveGps": "true"} if by == "field" else {}
    asked = client.post(UPLOAD, {"image": file(photo), **fields}).json()["jobId"]
    done(Job.objects.get(pk=UUID(asked)))
    assert "gps" not in staff_answer(without)["metadata"]
    assert "gps" not in client.get(f"{STATUS}/{asked}").json()["metadata"]  # anybody could be anonymous
    position = staff_answer(asked)["metadata"]["gps"]
    assert (round(position["latitude"], 4), round(position["longitude"], 4)) == (47.3769, 8.5417)


def staff_answer(job_id: str):
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.filter(username="root").first() or User.objects.create_superuser("root"))
    return client.get(f"{STATUS}/{job_id}").json()


def test_what_failed_says_why_in_code_and_detail(client):
    job = make_failed_job(preset="ingest")
    assert client.get(f"{STATUS}/{job.pk}").json() == {
        "jobId": str(job.pk), "status": "failed", "code": "undecodable", "detail": "The file is damaged.",
    }  # fmt: skip


def test_a_raw_file_has_its_variants_too(client):
    job_id = client.post(UPLOAD, {"image": file(raws.dng(images.jpeg(640, 480)), "a.dng")}).json()["jobId"]
    done(Job.objects.get(pk=UUID(job_id)))
    assert client.get(f"{STATUS}/{job_id}").json()["status"] == "completed"


# --- DELETE /api/v1/ingest/:jobId       # Cancel processing ---------------------------------------


def test_a_job_is_cancelled_and_says_so_from_then_on(client):
    job = make_job(preset="ingest")
    answer = client.delete(f"/api/v1/ingest/{job.pk}")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["jobId"], said["status"], said["code"]) == (str(job.pk), "cancelled", "cancelled")
    assert client.get(f"{STATUS}/{job.pk}").json() == answer.json()
    assert client.delete(f"/api/v1/ingest/{job.pk}").json() == answer.json()


def test_what_is_over_or_not_there_or_anothers_is_not_cancelled(client):
    over = client.delete(f"/api/v1/ingest/{make_job(state=JobState.DONE).pk}")
    assert (over.status_code, over.json()["code"]) == (409, "wrong_state")
    another = make_job(make_original(stored=False, owner="somebody"))
    for url in (f"/api/v1/ingest/{another.pk}", f"/api/v1/ingest/{UUID(int=1)}"):
        gone = client.delete(url)
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
        assert people.staff().delete(url).status_code == 404
        assert people.staff("view_job").delete(url).status_code == (403 if str(another.pk) in url else 404)
    assert client.get(f"{STATUS}/{another.pk}").status_code == 404


# --- GET /api/v1/health                 # Health check --------------------------------------------


def test_health_says_of_each_part_whether_it_answers(client, settings):
    answer = client.get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert set(answer.json()["checks"]) == {"database", "queue", "storage", "work"}


def test_health_is_503_where_no_upload_would_be_accepted_and_names_what_is_degraded(
    client, settings, unreachable_queue
):
    answer = client.get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["degraded"]) == (200, "ok", ["queue"])
    settings.MIN_FREE_DISK_BYTES = 2**62
    answer = client.get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["degraded"] == ["queue", "storage", "work"]


# --- type APIError struct -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("get", f"{STATUS}/{UUID(int=1)}", 404),
        ("get", f"{STATUS}/job_abc123", 404),
        ("get", UPLOAD + "/", 404),
        ("put", UPLOAD, 405),
        ("post", UPLOAD, 400),
    ],
)
def test_errors_have_the_documents_members(client, method, url, status):
    """`Type, Title, Status, Detail, Instance`, with `Instance: r.URL.Path`."""
    answer = getattr(client, method)(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance", "code"}
    assert (problem["status"], problem["instance"]) == (status, url)
    assert client.get(problem["type"]).status_code == 200
    assert json.dumps(problem)


def test_a_form_that_breaks_off_stores_nothing(client, photo):
    body = form(("image", "a.jpg", photo))
    refused(post(client, body[: len(body) // 2], UPLOAD), 400, "bad_request")
    assert nothing_is_stored()
