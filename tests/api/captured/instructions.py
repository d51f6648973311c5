"""The Instrlabs API."""

from typing import Any

from django.test import Client

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.models import Original, Product
from media_jobs.services.images import deletion
from tests import images, people
from tests.api.captured.images import PHOTO
from tests.api.captured.recorder import Recorder
from tests.api.instructions.helpers import work
from tests.api.uploading import file

_JSON = "application/json"


def capture(record: Recorder, me: Client, settings: Any) -> None:
    record.answer("listProducts", "products", me.get("/products"), "What is open to you")
    form = record.request("createInstruction", "new", {"productId": "gallformers", "name": "June"}, "By its name")
    made = record.answer("createInstruction", "new", me.post("/instructions", form, content_type=_JSON), "Made")
    address = f"/instructions/{made['data']['id']}"
    sent = {"files": [file(PHOTO, "oak.jpg"), file(b"<svg/>", "drawing.svg")]}
    added = record.answer("addFiles", "added", me.post(f"{address}/details", sent), "One is taken, one is no picture")
    detail = f"{address}/details/{added['data']['items'][0]['detail']['id']}"
    record.problem(me.get(f"{detail}/file"), "not_processed")
    work()
    record.answer("getDetail", "done", me.get(detail), "It is done")
    record.answer("listDetails", "details", me.get(f"{address}/details"), "The files")
    record.answer("getInstruction", "done", me.get(address), "All is done")
    record.answer("listInstructions", "instructions", me.get("/instructions"), "The first page")
    record.answer("listUncleanedFiles", "files", me.get("/files"), "What is still there")
    record.problem(people.keyed().get(address), "not_owner")
    record.problem(me.get(f"{detail}/file?variant=poster"), "unknown_variant")
    record.problem(me.post("/instructions", {"productId": "plates"}, content_type=_JSON), "unknown_product")
    _limits(record, me)
    image = Original.objects.get(jobs__pk=added["data"]["items"][0]["detail"]["jobId"])
    store(Role.WORKER).delete(image.key)
    record.problem(me.get(f"{detail}/file?variant=original"), "object_missing")
    deletion.delete(image.pk, actor=SYSTEM)
    record.problem(me.get(f"{detail}/file"), "file_cleaned")
    record.answer("getPartsHealth", "well", Client().get("/health"), "All is well")
    nowhere = {"URL": "redis://127.0.0.1:1/0", "SERIALIZER": "rq.serializers.JSONSerializer"}
    usual, settings.RQ_QUEUES = settings.RQ_QUEUES, dict.fromkeys(settings.RQ_QUEUES, nowhere)
    record.answer("getPartsHealth", "queue", Client().get("/health"), "The queue is away, and files are accepted")
    settings.RQ_QUEUES = usual
    settings.MIN_FREE_DISK_BYTES = 2**60
    record.answer("getPartsHealth", "full", Client().get("/health"), "No file is accepted")
    settings.MIN_FREE_DISK_BYTES = 0


def _limits(record: Recorder, me: Client) -> None:
    limits: dict[str, dict[str, Any]] = {
        "instruction_full": {"files_per_instruction": 1},
        "daily_limit_reached": {"files_per_day": 1},
        "format_not_allowed": {"formats": ["png"]},
        "too_many_pixels": {"max_pixels": 99},
    }
    for code, limit in limits.items():
        name = code.replace("_", "-")
        Product.objects.create(name=name, preset="gallformers", open_to_all=True, **limit)
        made = me.post("/instructions", {"productId": name}, content_type=_JSON).json()
        url = f"/instructions/{made['data']['id']}/details"
        answer = me.post(url, {"file": file(PHOTO)})
        if answer.status_code == 202:
            answer = me.post(url, {"file": file(images.jpeg(48, 64))})
        record.problem(answer, code)
