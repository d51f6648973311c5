"""Images, jobs, events and direct uploads, as a caller of /v1 meets them."""

from typing import Any
from uuid import UUID

from django.test import Client

from media_jobs.models import Job
from media_jobs.services.waiting import feed
from media_jobs.services.waiting.waits import Stream
from tests import working
from tests.api.captured.recorder import Recorder
from tests.api.parking import parked, room
from tests.api.uploading import file
from tests.api.uploads.direct_uploading import JSON, send
from tests.generated_docs import ROOT

PHOTO = (ROOT / "media_jobs/demo/samples/bedeguar-gall.jpg").read_bytes()
OTHER_PHOTO = (ROOT / "media_jobs/demo/samples/oak-apple-galls.jpg").read_bytes()


def upload(client: Client, url: str = "/v1/images", photo: bytes = PHOTO, *, key: str = "", **fields: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(url, {"file": file(photo, "bedeguar-gall.jpg"), **fields}, headers=headers)


def do(answer: dict[str, Any]) -> Job:
    """Have a worker do the job of an upload."""
    job = Job.objects.get(pk=UUID(answer["jobId"]))
    working.run(job.pk)
    job.refresh_from_db()
    return job


def capture(record: Recorder, me: Client) -> None:
    following: Any = me.get("/v1/events", **room())
    messages = [next(iter(following.streaming_content))]
    stream = parked(following)
    assert isinstance(stream, Stream)
    new = record.answer("uploadImage", "new", upload(me, key="a", tags="gall,rose"), "A new picture")
    feed.read([stream])
    record.stream("followEvents", "stream", [*messages, stream.take()], "A heartbeat, and a job that begins")
    record.answer("createEventsTicket", "ticket", me.post("/v1/events/ticket"), "For one connection")
    job = f"/v1/jobs/{new['jobId']}"
    record.answer("getJob", "processing", me.get(job), "It waits, or is being done")
    assert do(new).code == ""
    record.answer("getJob", "done", me.get(job), "It is done")
    waited = upload(me, "/v1/images?wait=10", key="a", tags="gall,rose")
    record.answer("uploadImage", "waited", waited, "Done within ten seconds")
    record.answer("uploadImage", "duplicate", upload(me), "The same bytes again")
    _jobs(record, me)
    _images(record, me, f"/v1/images/{new['imageId']}")
    _direct_uploads(record, me)


def _jobs(record: Recorder, me: Client) -> None:
    first = upload(me, "/v1/jobs", OTHER_PHOTO, key="b")
    new = record.answer("createJob", "new", first, "A new picture")
    job = f"/v1/jobs/{new['jobId']}"
    record.answer("cancelJob", "cancelled", me.delete(job), "It was waiting")
    record.answer("getJob", "cancelled", me.get(job), "It was cancelled")
    again = me.post(f"{job}/retry", headers={"Idempotency-Key": "c"})
    record.answer("retryJob", "again", again, "It waits again")
    assert do(new).code == ""
    again = me.post(f"{job}/retry?wait=10", headers={"Idempotency-Key": "c"})
    record.answer("retryJob", "waited", again, "Done within ten seconds")
    record.answer(
        "createJob", "waited", upload(me, "/v1/jobs?wait=10", OTHER_PHOTO, key="b"), "Done within ten seconds"
    )
    broken = upload(me, photo=PHOTO[: len(PHOTO) // 2]).json()
    do(broken)
    record.answer("getJob", "error", me.get(f"/v1/jobs/{broken['jobId']}"), "The file is broken")


def _images(record: Recorder, me: Client, image: str) -> None:
    record.answer("listImages", "page", me.get("/v1/images?limit=1&status=done"), "One image, and how to go on")
    record.answer("getImage", "image", me.get(image), "With its rights, its receipt and its derivatives")
    licence = "https://creativecommons.org/licenses/by/4.0/"
    changes = {"tags": ["gall", "rose"], "rights": {"creator": "Ada", "licence": licence}}
    record.request("changeImage", "rights", changes, "Tags and rights")
    changed = me.patch(image, changes, content_type=JSON)
    record.answer("changeImage", "changed", changed, "Its derivatives are stale now")
    record.answer("deleteImage", "deleted", me.delete(image), "Until when it can come back")
    restored = me.post(f"{image}/restore", headers={"Idempotency-Key": "d"})
    back = record.answer("restoreImage", "restored", restored, "Its derivatives are being made anew")
    do(back)
    restored = me.post(f"{image}/restore?wait=10", headers={"Idempotency-Key": "d"})
    record.answer("restoreImage", "waited", restored, "Done within ten seconds")


def _direct_uploads(record: Recorder, me: Client) -> None:
    announced = {"filename": "gall.jpg", "contentType": "image/jpeg", "bytes": len(PHOTO)}
    record.request("beginUpload", "photo", announced, "A photo of a known size")
    begun = me.post("/v1/uploads", announced, content_type=JSON)
    form = record.answer("beginUpload", "opened", begun, "A form for the storage")
    assert send(form, PHOTO).status_code == 204
    staged = {"uploadId": form["uploadId"], "preset": "gallformers"}
    for call in ("uploadImage", "createJob"):
        record.request(call, "staged", staged, "A picture that is in the storage already")
    assert me.post("/v1/images", staged, content_type=JSON).status_code == 202
