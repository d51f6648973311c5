"""One process with one database of instructions: does what a line of JSON asks, and answers with a line of JSON.

{"fill": {"instructions": 1000}}
{"measure": "list", "times": 20}            seconds of each
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

import time

import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from bench.children.lines import answer_of_bed
from media_jobs import keys
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Derivative, Instruction, InstructionDetail, Job, Original, Preset, Product
from media_jobs.models.base import uuid7
from media_jobs.services.instructions.instructions import moment_of
from media_jobs.states import DerivativeState, JobState, OriginalState

_FILES_EACH, _CHUNK = 5, 200
_FAILED_EVERY = 50
_RENDITIONS = {"full": 2048, "medium": 1024, "small": 512, "thumb": 200}


class Bed:
    """A filled database, and the address of each call."""

    def __init__(self, *, instructions: int) -> None:
        self._client, staff = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
        staff.force_login(User.objects.create_superuser("boss"))
        for first in range(0, instructions, _CHUNK):
            _fill(first, min(_CHUNK, instructions - first))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
        middle = Instruction.objects.order_by("pk")[instructions // 2]
        detail = InstructionDetail.objects.filter(instruction=middle).first()
        assert detail
        address = f"/instructions/{middle.pk}"
        last = max(1, instructions // 20)
        mine: dict[str, str] = {
            "list": "/instructions",
            "list_done": "/instructions?status=DONE",
            "list_dated": f"/instructions?createdAfter={middle.created_at:%Y-%m-%dT%H:%M:%S}",
            "list_last": f"/instructions?page={last}",
            "one": address,
            "details": f"{address}/details",
            "detail": f"{address}/details/{detail.pk}",
            "products": "/products",
        }
        self._calls = {name: (self._client, path) for name, path in mine.items()}
        self._calls |= {"files": (staff, "/files"), "files_failed": (staff, "/files?status=FAILED")}

    def measure(self, name: str) -> float:
        """Seconds."""
        client, path = self._calls[name]
        begun = time.perf_counter()
        answer = client.get(path)
        seconds = time.perf_counter() - begun
        assert answer.status_code == 200, answer.content
        return seconds


def _fill(first: int, count: int) -> None:
    """So many instructions with their files, as the service would have left them; the triggers count."""
    preset = Preset.objects.get(name="gallformers", current=True)
    product, now = Product.objects.get(name="gallformers"), timezone.now()
    made = [Instruction(id=uuid7(), owner=ANONYMOUS.id, product=product, name=f"n{n}") for n in range(count)]
    for instruction in made:
        instruction.created_at = moment_of(instruction.pk)
    Instruction.objects.bulk_create(made)
    originals, jobs, details, derivatives = [], [], [], []
    for place, instruction in enumerate(made):
        for number in range(_FILES_EACH):
            failed = number == 0 and (first + place) % _FAILED_EVERY == 0
            image_id = uuid7()
            original = Original(
                id=image_id, state=OriginalState.ACTIVE, owner=ANONYMOUS.id, filename=f"{number}.jpg", format="jpeg",
                content_type="image/jpeg", key=keys.original_key(image_id, "jpg"), size_bytes=200_000,
                sha256=f"{image_id.int:064x}", width_px=4000, height_px=3000,
            )  # fmt: skip
            job = Job(
                original=original, preset=preset, wanted=list(_RENDITIONS), owner=ANONYMOUS.id,
                state=JobState.FAILED if failed else JobState.DONE, code="undecodable" if failed else "", last_event=3,
                attempt=1, started_at=now, finished_at=now, duration_ms=250,
            )  # fmt: skip
            originals.append(original)
            jobs.append(job)
            details.append(
                InstructionDetail(
                    instruction=instruction, job=job, owner=ANONYMOUS.id, filename=f"{number}.jpg",
                    content_type="image/jpeg", size_bytes=200_000, sha256=original.sha256, state=job.state,
                    code=job.code, started_at=now, finished_at=now,
                )
            )  # fmt: skip
            derivatives += [] if failed else [_derivative(job, name, side) for name, side in _RENDITIONS.items()]
    Original.objects.bulk_create(originals)
    Job.objects.bulk_create(jobs)
    InstructionDetail.objects.bulk_create(details)
    Derivative.objects.bulk_create(derivatives)


def _derivative(job: Job, rendition: str, side_px: int) -> Derivative:
    return Derivative(
        original=job.original, preset=job.preset, preset_name=job.preset.name, job=job, rendition=rendition,
        state=DerivativeState.CURRENT, key=keys.derivative_key(rendition, job.original_id, "0" * 32, "jpg"),
        content_type="image/jpeg", width_px=side_px, height_px=side_px, size_bytes=20_000, sha256="0" * 64,
        engine="bench",
    )  # fmt: skip


if __name__ == "__main__":
    answer_of_bed(Bed)
