"""One answer for each error that a request can meet."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from django.http import UnreadablePostError
from django.test import Client
from django.utils import timezone

from media_jobs import errors, selectors
from media_jobs.callers import Scope
from media_jobs.models import DirectUpload
from media_jobs.runtime.http import refusals
from media_jobs.services import originals
from tests import images, people
from tests.api.captured import shadows
from tests.api.captured.images import upload
from tests.api.captured.recorder import Recorder
from tests.api.uploading import file, form, post
from tests.api.uploads.direct_uploading import JSON, accept, begin, staged
from tests.factories import make_job, make_original

_NO_JOB = f"/v1/jobs/{UUID(int=1)}"


def capture(record: Recorder, me: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = images.jpeg(64, 48)
    _requests(record, me, photo)
    _forms(record, me, photo)
    _states(record, me, photo, settings)
    shadows.capture_problems(record, people.keyed(), photo, settings)
    _callers(record, me, photo, settings)
    _limits(record, me, photo, settings)
    _service(record, me, photo, monkeypatch)
    _unread(record)


def _requests(record: Recorder, me: Client, photo: bytes) -> None:
    record.problem(me.get("/v1/images", headers={"Host": "elsewhere.example"}), "wrong_host")
    record.problem(me.post("/v1/uploads", b'{"filename": "a.jpg",}', content_type=JSON), "bad_json")
    record.problem(me.get(_NO_JOB), "not_found")
    record.problem(me.get("/v1/flags/imageservice"), "unknown_flag")
    record.problem(me.put("/v1/images"), "method_not_allowed")
    record.problem(me.get(_NO_JOB, headers={"Accept": "image/png"}), "not_acceptable")
    record.problem(me.post("/v1/uploads", "a", content_type="text/plain"), "unsupported_media_type")
    record.problem(me.get(f"{_NO_JOB}?wait=100"), "bad_wait")
    record.problem(me.get("/v1/events?lastEventId=yesterday"), "bad_cursor")
    record.problem(upload(me, photo=photo, key="with a blank"), "bad_idempotency_key")
    assert upload(me, photo=photo, key="f").status_code == 202
    record.problem(upload(me, photo=photo, key="f", preset="ingest"), "idempotency_key_reused")
    plain = me.post("/v1/webhooks", {"url": "http://gallformers.example/hooks"}, content_type=JSON)
    record.problem(plain, "bad_webhook_url")


def _forms(record: Recorder, me: Client, photo: bytes) -> None:
    record.problem(me.post("/v1/images", b"--b\r\n", content_type="multipart/form-data"), "bad_form")
    record.problem(upload(me, photo=photo, focus="2,2"), "bad_field")
    record.problem(upload(me, photo=photo, preserveGPS="true"), "unknown_field")
    record.problem(upload(me, photo=photo, preset="large"), "unknown_preset")
    record.problem(me.post("/v1/images", {"tags": "gall"}), "missing_file")
    record.problem(upload(me, photo=b""), "empty_file")
    record.problem(me.post("/v1/images", {"file": [file(photo), file(photo)]}), "too_many_files")
    record.problem(post(me, form(("creator", None, b"\xff" * 70_000))), "fields_too_large")
    record.problem(me.post("/v1/images", {"file": file(photo)}, CONTENT_LENGTH="900000000"), "file_too_large")
    record.problem(upload(me, photo=b"%PDF-1.7 ..."), "unsupported_format")
    files = [file(b"<svg/>", "drawing.svg"), file(b"", "nothing.jpg")]
    record.problem(me.post("/api/v1/ingest/batch", {"images": files}), "batch_refused")


def _states(record: Recorder, me: Client, photo: bytes, settings: Any) -> None:
    record.problem(accept(me, str(UUID(int=1))), "unknown_upload")
    used = staged(me, photo)
    assert accept(me, used).status_code == 202
    record.problem(accept(me, used), "upload_used")
    late = staged(me, photo)
    DirectUpload.objects.filter(pk=late).update(created_at=timezone.now() - timedelta(days=1))
    record.problem(accept(me, late), "upload_expired")
    done = upload(me, photo=photo).json()
    assert me.delete(f"/v1/jobs/{done['jobId']}").status_code == 200
    assert me.post(f"/v1/jobs/{done['jobId']}/retry").status_code == 202
    record.problem(me.post(f"/v1/jobs/{done['jobId']}/retry"), "wrong_state")
    record.problem(me.post(f"/v1/images/{done['imageId']}/restore"), "not_restorable")
    url = {"url": "https://gallformers.example/hooks"}
    webhook = me.post("/v1/webhooks", url, content_type=JSON).json()["webhookId"]
    me.patch(f"/v1/webhooks/{webhook}", {"enabled": False}, content_type=JSON)
    record.problem(me.post(f"/v1/webhooks/{webhook}/test"), "webhook_disabled")
    while (answer := me.post("/v1/webhooks", url, content_type=JSON)).status_code == 201:
        pass
    record.problem(answer, "too_many_webhooks")
    settings.MAX_BACKLOG = 0
    record.problem(begin(me), "backlog_full")
    settings.MAX_BACKLOG = 10_000


def _callers(record: Recorder, me: Client, photo: bytes, settings: Any) -> None:
    anybody, reader = Client(), people.keyed(Scope.READ)
    record.problem(anybody.get("/v1/events"), "jobs_not_named")
    record.problem(anybody.get("/v1/events?ticket=used"), "ticket_invalid")
    settings.ALLOW_ANONYMOUS = False
    record.problem(anybody.get("/v1/images"), "credential_missing")
    settings.ALLOW_ANONYMOUS = True
    record.problem(people.program("not-a-key").get("/v1/images"), "bad_credential")
    old = people.api_key(expires_at=timezone.now() - timedelta(days=1))[1]
    record.problem(people.program(old).get("/v1/images"), "credential_expired")
    record.problem(upload(reader, photo=photo), "insufficient_scope")
    record.problem(anybody.get("/v1/images", headers={"X-User-ID": "ada"}), "may_not_act_for_users")
    acting = people.api_key(acts_for_users=True)[1]
    record.problem(people.program(acting, "ada lovelace").get("/v1/images"), "bad_user_id")
    origin = {"Origin": "https://elsewhere.example"}
    record.problem(anybody.post("/v1/images", headers=origin), "foreign_origin")
    another = make_job(make_original(stored=False, owner="somebody"))
    record.problem(people.staff("view_job").delete(f"/v1/jobs/{another.pk}"), "permission_denied")
    secret, settings.JWT_SECRET = settings.JWT_SECRET, ""
    sign_in = {"username": "ada", "password": "x"}
    record.problem(anybody.post("/v1/tokens", sign_in, content_type=JSON), "tokens_not_issued")
    settings.JWT_SECRET = secret


def _limits(record: Recorder, me: Client, photo: bytes, settings: Any) -> None:
    record.problem(me.get("/v1/events"), "too_many_waiters")  # the test client cannot wait
    settings.UPLOADS_PER_MINUTE = 1
    assert upload(me, photo=photo).status_code == 202
    record.problem(upload(me, photo=photo), "quota_exceeded")
    settings.UPLOADS_PER_MINUTE = 0
    settings.MIN_FREE_DISK_BYTES = 2**60
    record.problem(upload(me, photo=photo), "storage_full")
    settings.MIN_FREE_DISK_BYTES = 0


#: What cannot be had without breaking something: raised where an upload looks for its preset, answered by the service.
_AWAY: tuple[tuple[Exception, str], ...] = (
    (UnreadablePostError(), "bad_request"),
    (errors.LimitsUnavailable(), "limits_unavailable"),
    (errors.TokenKeysUnavailable(), "token_keys_unavailable"),
    (errors.StorageUnavailable("storing the original"), "storage_unavailable"),
    (errors.StorageDenied("storing the original"), "storage_denied"),
    (errors.StorageClockSkewed("storing the original"), "storage_clock_skewed"),
    (errors.StorageUntrusted("storing the original"), "storage_untrusted"),
    (errors.BucketMissing("storing the original"), "bucket_missing"),
    (OperationalError("could not connect"), "database_unavailable"),
    (ZeroDivisionError(), "internal_error"),
)


def _service(record: Recorder, me: Client, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    image = upload(me, photo=photo).json()["imageId"]
    me.raise_request_exception = False
    for error, code in _AWAY:
        with monkeypatch.context() as patched:
            patched.setattr(selectors, "current_preset", _raising(error))
            record.problem(upload(me, photo=photo), code)
    with monkeypatch.context() as patched:
        patched.setattr(originals, "link", _raising(errors.ReadsNotConfigured()))
        record.problem(me.get(f"/v1/images/{image}/original"), "reads_not_configured")


def _unread(record: Recorder) -> None:
    """What the server answers before anybody has read the request."""
    for code in sorted({*refusals.CODES} - {"bad_request", "internal_error"}):
        record.document(json.loads(refusals.answer(code).partition(b"\r\n\r\n")[2]))


def _raising(error: Exception) -> Any:
    def away(*_: Any, **__: Any) -> None:
        raise error

    return away
