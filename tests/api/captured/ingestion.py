"""The Ingestion API."""

from typing import Any

from django.test import Client

from tests.api.captured.images import OTHER_PHOTO, PHOTO, do
from tests.api.captured.recorder import Recorder
from tests.api.uploading import file

_UPLOAD, _STATUS = "/api/v1/ingest/upload", "/api/v1/ingest/status"


def _upload(me: Client, photo: bytes = PHOTO, *, url: str = _UPLOAD, key: str = "") -> Any:
    sent = {"image": file(photo, "photo.jpg"), "tags": "vacation,beach,2024"}
    return me.post(url, sent, headers={"Idempotency-Key": key} if key else {})


def capture(record: Recorder, me: Client) -> None:
    new = record.answer("ingestImage", "new", _upload(me, key="e"), "A new picture")
    status = f"{_STATUS}/{new['jobId']}"
    record.answer("getIngestStatus", "processing", me.get(status), "It waits, or is being done")
    do(new)
    record.answer("getIngestStatus", "completed", me.get(status), "It is done")
    record.answer("ingestImage", "waited", _upload(me, url=f"{_UPLOAD}?wait=10", key="e"), "Done within ten seconds")
    broken = _upload(me, PHOTO[: len(PHOTO) // 2]).json()
    do(broken)
    record.answer("getIngestStatus", "failed", me.get(f"{_STATUS}/{broken['jobId']}"), "The file is broken")
    waiting = _upload(me, OTHER_PHOTO).json()["jobId"]
    record.answer("cancelIngest", "cancelled", me.delete(f"/api/v1/ingest/{waiting}"), "It was waiting")
    record.answer("getIngestStatus", "cancelled", me.get(f"{_STATUS}/{waiting}"), "It was cancelled")
    files = [file(OTHER_PHOTO, "oak.jpg"), file(b"<svg/>", "drawing.svg")]
    batch = me.post("/api/v1/ingest/batch", {"images": files})
    record.answer("ingestBatch", "batch", batch, "One is taken, and one is no picture")


def capture_health(record: Recorder, settings: Any) -> None:
    record.answer("getHealth", "well", Client().get("/api/v1/health"), "All is well")
    nowhere = {"URL": "redis://127.0.0.1:1/0", "SERIALIZER": "rq.serializers.JSONSerializer"}
    usual, settings.RQ_QUEUES = settings.RQ_QUEUES, dict.fromkeys(settings.RQ_QUEUES, nowhere)
    record.answer("getHealth", "queue", Client().get("/api/v1/health"), "The queue is away")
    settings.RQ_QUEUES = usual
