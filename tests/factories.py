"""Rows and stored files that tests start from."""

import hashlib
from typing import Any

from django.db import transaction

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Derivative, Instruction, InstructionDetail, Job, Original, Preset, Product
from media_jobs.models.base import uuid7
from media_jobs.pipeline.values import Placeholder, Receipt, Rendered, Rights
from media_jobs.services.instructions.instructions import moment_of
from media_jobs.services.uploads import intake
from media_jobs.states import JobState, Lane, OriginalState


def make_original(content: bytes = b"", *, stored: bool = True, **fields: Any) -> Original:
    """An active original whose object is in the store, unless `stored` is false."""
    content = content or b"\xff\xd8\xff not really a picture"
    image_id = uuid7()
    key = keys.original_key(image_id, "jpg")
    if stored:
        writer = store(Role.WEB).begin(key, content_type="image/jpeg")
        writer.write(content)
        writer.commit()
    given = {
        "id": image_id,
        "key": key,
        "state": OriginalState.ACTIVE,
        "owner": ANONYMOUS.id,
        "filename": "gall.jpg",
        "format": "jpeg",
        "content_type": "image/jpeg",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return Original.objects.create(**(given | fields))


def make_job(original: Original | None = None, *, preset: str = "gallformers", **fields: Any) -> Job:
    """A queued job with the first line of its history."""
    original = original or make_original(stored=False)
    current = Preset.objects.prefetch_related("renditions").get(name=preset, current=True)
    with transaction.atomic():
        job = intake.create_job(original, preset=current, caller=ANONYMOUS, lane=Lane.INTERACTIVE)
    if fields:
        Job.objects.filter(pk=job.pk).update(**fields)
        job.refresh_from_db()
    return job


def make_failed_job(**fields: Any) -> Job:
    given: dict[str, Any] = {
        "state": JobState.FAILED,
        "code": "undecodable",
        "detail": "The file is damaged.",
        "attempt": 1,
    }
    return make_job(**(given | fields))


def make_rendered(**fields: Any) -> Rendered:
    """What a render of a picture without renditions, facts or rights says."""
    given: dict[str, Any] = {
        "format": "jpeg",
        "width_px": 1,
        "height_px": 1,
        "orientation": 1,
        "metadata": {},
        "rights": Rights(),
        "receipt": Receipt(found=(), kept=(), dropped=(), outputs={}),
        "placeholder": Placeholder(uri="data:image/webp;base64,UklGRg==", colour="#336699"),
        "outputs": (),
        "engine": "test",
    }
    return Rendered(**(given | fields))


def make_derivative(job: Job, rendition: str = "thumb", *, content: bytes = b"\xff\xd8", **fields: Any) -> Derivative:
    """A derivative whose object is in the store."""
    digest = hashlib.sha256(content).hexdigest()
    key = keys.derivative_key(rendition, job.original_id, digest[:32], "jpg")
    writer = store(Role.WORKER).begin(key, content_type="image/jpeg")
    writer.write(content)
    writer.commit()
    given = {
        "original_id": job.original_id,
        "preset_id": job.preset_id,
        "preset_name": job.preset.name,
        "job": job,
        "rendition": rendition,
        "key": key,
        "content_type": "image/jpeg",
        "width_px": 200,
        "height_px": 200,
        "size_bytes": len(content),
        "sha256": digest,
        "engine": "test",
    }
    return Derivative.objects.create(**(given | fields))


def make_instruction(owner: str = ANONYMOUS.id, **fields: Any) -> Instruction:
    """An instruction of the shipped product, unless `fields` name another."""
    instruction_id = uuid7()
    given = {"id": instruction_id, "owner": owner, "created_at": moment_of(instruction_id)}
    product = fields.pop("product", None) or Product.objects.get(name="gallformers")
    return Instruction.objects.create(**(given | fields), product=product)


def make_detail(instruction: Instruction, job: Job | None = None, **fields: Any) -> InstructionDetail:
    """A file of the instruction, with its queued job."""
    job = job or make_job(make_original(owner=instruction.owner, stored=False))
    original = job.original
    given = {
        "owner": instruction.owner,
        "filename": original.filename,
        "content_type": original.content_type,
        "size_bytes": original.size_bytes,
        "sha256": original.sha256,
        "state": job.state,
        "finished_at": job.finished_at,
    }
    return InstructionDetail.objects.create(instruction=instruction, job=job, **(given | fields))
