"""What the Instrlabs API says of rows; `serializers` has the form of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings

from media_jobs import instruction_lists, selectors
from media_jobs.api.instructions.fields import INSTRUCTION_STATUS, STATUS
from media_jobs.models import Derivative, DirectUpload, Instruction, InstructionDetail, Job, Product
from media_jobs.services.instructions.products import limits_of
from media_jobs.states import InstructionStatus, JobState

_CANCELLED = {"code": "cancelled", "detail": "The job was cancelled."}


def moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def instruction(row: Instruction) -> dict[str, Any]:
    """Say what an instruction is, with its product loaded."""
    return {
        "id": str(row.pk),
        "productId": str(row.product_id),
        "product": row.product.name,
        "name": row.name,
        "status": INSTRUCTION_STATUS[InstructionStatus(row.status)],
        "counts": {
            "total": row.files,
            "pending": row.queued,
            "processing": row.processing,
            "done": row.done,
            "failed": row.failed + row.cancelled,
        },
        "createdAt": moment(row.created_at),
        "updatedAt": moment(row.changed_at),
    }


def detail(row: InstructionDetail, made: Iterable[Derivative] | None = None) -> dict[str, Any]:
    """Say what a file is. made: current derivatives of its original; by default those that came with it."""
    job = row.job
    gone = job is None or job.original.deleted_at is not None
    derivatives = [] if job is None or gone else _made(job, job.original.made if made is None else made)  # type: ignore[attr-defined]
    return {
        "id": str(row.pk),
        "instructionId": str(row.instruction_id),
        "jobId": str(job.pk) if job else None,
        "imageId": str(job.original_id) if job else None,
        "original": _original(row),
        "status": STATUS[JobState(row.state)],
        "processed": [_processed(one) for one in derivatives],
        "error": _error(row),
        "processing": _processing(job) if job else None,
        "cleaned": gone,
        "createdAt": moment(row.created_at),
        "startedAt": moment(row.started_at),
        "finishedAt": moment(row.finished_at),
    }


def _made(job: Job, current: Iterable[Derivative]) -> list[Derivative]:
    """What the job was asked for, in that order."""
    wanted = {name: place for place, name in enumerate(job.wanted)}
    ours = [one for one in current if one.preset_name == job.preset.name and one.rendition in wanted]
    return sorted(ours, key=lambda one: wanted[one.rendition]) if job.state == JobState.DONE else []


def _original(row: InstructionDetail) -> dict[str, Any]:
    image = row.job.original if row.job else None
    return {
        "filename": row.filename,
        "contentType": image.content_type if image else row.content_type,
        "bytes": (image.size_bytes if image else row.size_bytes) or None,
        "sha256": (image.sha256 if image else row.sha256) or None,
        "width": image.width_px if image else None,
        "height": image.height_px if image else None,
        "url": f"{settings.PUBLIC_BASE_URL}/instructions/{row.instruction_id}/details/{row.pk}/file?variant=original",
    }


def _processed(made: Derivative) -> dict[str, Any]:
    return {
        "variant": made.rendition,
        "url": selectors.derivative_url(made),
        "width": made.width_px,
        "height": made.height_px,
        "bytes": made.size_bytes,
        "contentType": made.content_type,
    }


def _error(row: InstructionDetail) -> dict[str, str] | None:
    if row.state == JobState.CANCELLED:
        return _CANCELLED
    return {"code": row.code, "detail": row.problem} if row.state == JobState.FAILED else None


def _processing(job: Job) -> dict[str, Any]:
    return {
        "preset": str(job.preset),
        "stage": job.stage,
        "progress": job.progress,
        "attempts": job.attempt,
        "durationMs": job.duration_ms,
        "renderMs": job.render_ms,
        "cpuMs": job.cpu_ms,
        "peakMemoryBytes": job.peak_memory_bytes,
    }


def product(row: Product) -> dict[str, Any]:
    limits = limits_of(row)
    return {
        "id": str(row.pk),
        "name": row.name,
        "preset": row.preset,
        "limits": {
            "maxBytes": limits.picture_bytes,
            "maxRawBytes": limits.raw_bytes,
            "maxPixels": min(settings.MAX_PIXELS, row.max_pixels or settings.MAX_PIXELS),
            "filesPerInstruction": row.files_per_instruction,
            "filesPerDay": row.files_per_day,
            "formats": row.formats or None,
        },
        "retention": {"doneDays": row.done_days, "failedDays": row.failed_days},
    }


def uncleaned(row: InstructionDetail) -> dict[str, Any]:
    """Say which file is still there, with its product and job loaded."""
    return {
        "kind": "file",
        "id": str(row.pk),
        "instructionId": str(row.instruction_id),
        "imageId": str(row.job.original_id) if row.job else None,
        "product": row.instruction.product.name,
        "owner": row.owner,
        "filename": row.filename,
        "bytes": row.size_bytes,
        "status": STATUS[JobState(row.state)],
        "createdAt": moment(row.created_at),
        "finishedAt": moment(row.finished_at),
        "dueAt": moment(instruction_lists.due_at(row)),
    }


def unused_upload(row: DirectUpload, due_at: datetime) -> dict[str, Any]:
    return {
        "kind": "upload",
        "id": str(row.pk),
        "instructionId": None,
        "imageId": None,
        "product": None,
        "owner": row.owner,
        "filename": row.filename,
        "bytes": row.size_bytes,
        "status": "PENDING",
        "createdAt": moment(row.created_at),
        "finishedAt": None,
        "dueAt": moment(due_at),
    }
