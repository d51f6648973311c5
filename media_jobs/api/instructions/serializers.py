"""What the Instrlabs API answers: inside of its envelope, in its own words."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from rest_framework import serializers

from media_jobs import instruction_lists, selectors
from media_jobs.api.instructions.fields import INSTRUCTION_STATUS, STATUS, STATUSES
from media_jobs.models import Derivative, DirectUpload, Instruction, InstructionDetail, Job, Product
from media_jobs.services.instructions.products import limits_of
from media_jobs.states import InstructionStatus, JobState

_CANCELLED = {"code": "cancelled", "detail": "The job was cancelled."}


class FileCountsSerializer(serializers.Serializer[None]):
    """How many files stand where."""

    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    processing = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Failed or cancelled.")


class InstructionSerializer(serializers.Serializer[Instruction]):
    """Files that belong together."""

    id = serializers.UUIDField()
    productId = serializers.UUIDField()  # noqa: N815  (the wire's spelling)
    product = serializers.CharField(help_text="The name of the product.")
    name = serializers.CharField()
    status = serializers.ChoiceField(
        choices=STATUSES,
        help_text="Derived from its files. PENDING: nothing was begun; PROCESSING: something is left; FAILED: all is "
        "over and at least one failed.",
    )
    counts = FileCountsSerializer()
    createdAt = serializers.DateTimeField()  # noqa: N815
    updatedAt = serializers.DateTimeField(help_text="When a file came or changed its status.")  # noqa: N815


class OriginalFileSerializer(serializers.Serializer[None]):
    """The file as it came."""

    filename = serializers.CharField()
    contentType = serializers.CharField()  # noqa: N815
    bytes = serializers.IntegerField(allow_null=True, help_text="null: not checked yet.")
    sha256 = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True, help_text="As displayed, in px; null before it is processed.")
    height = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(help_text="Where to download it, for who may.")


class ProcessedFileSerializer(serializers.Serializer[None]):
    """One file that was made."""

    variant = serializers.CharField()
    url = serializers.URLField(help_text="Public, and never changes.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField()
    contentType = serializers.CharField()  # noqa: N815


class ErrorSerializer(serializers.Serializer[None]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ProcessingSerializer(serializers.Serializer[None]):
    """How the work goes, or went."""

    preset = serializers.CharField(help_text="Name and version.")
    stage = serializers.CharField()
    progress = serializers.IntegerField(help_text="Per cent.")
    attempts = serializers.IntegerField()
    durationMs = serializers.IntegerField(allow_null=True)  # noqa: N815
    renderMs = serializers.IntegerField(allow_null=True)  # noqa: N815
    cpuMs = serializers.IntegerField(allow_null=True)  # noqa: N815
    peakMemoryBytes = serializers.IntegerField(allow_null=True)  # noqa: N815


class DetailSerializer(serializers.Serializer[InstructionDetail]):
    """One file of an instruction."""

    id = serializers.UUIDField()
    instructionId = serializers.UUIDField()  # noqa: N815
    jobId = serializers.UUIDField(  # noqa: N815
        allow_null=True, help_text="Of its events; null once it was cleaned up."
    )
    imageId = serializers.UUIDField(allow_null=True)  # noqa: N815
    original = OriginalFileSerializer()
    status = serializers.ChoiceField(choices=STATUSES)
    processed = ProcessedFileSerializer(many=True)
    error = ErrorSerializer(allow_null=True)
    processing = ProcessingSerializer(allow_null=True)
    cleaned = serializers.BooleanField(help_text="The file and what was made of it are gone.")
    createdAt = serializers.DateTimeField()  # noqa: N815
    startedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    finishedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815


class AddedSerializer(serializers.Serializer[None]):
    """What became of one file: the detail, or `error`."""

    filename = serializers.CharField()
    detail = DetailSerializer(allow_null=True)
    error = ErrorSerializer(allow_null=True)


class FilesAddedSerializer(serializers.Serializer[None]):
    items = AddedSerializer(many=True, help_text="In the order in which the files came.")
    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()


class LimitsSerializer(serializers.Serializer[None]):
    """null: no limit."""

    maxBytes = serializers.IntegerField()  # noqa: N815
    maxRawBytes = serializers.IntegerField(help_text="Of a camera raw file.")  # noqa: N815
    maxPixels = serializers.IntegerField()  # noqa: N815
    filesPerInstruction = serializers.IntegerField(allow_null=True)  # noqa: N815
    filesPerDay = serializers.IntegerField(allow_null=True)  # noqa: N815
    formats = serializers.ListField(child=serializers.CharField(), allow_null=True)


class RetentionSerializer(serializers.Serializer[None]):
    """Days after which files are cleaned up; null: they are kept."""

    doneDays = serializers.IntegerField(allow_null=True)  # noqa: N815
    failedDays = serializers.IntegerField(allow_null=True)  # noqa: N815


class ProductSerializer(serializers.Serializer[Product]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    preset = serializers.CharField()
    limits = LimitsSerializer()
    retention = RetentionSerializer()


class UncleanedSerializer(serializers.Serializer[None]):
    """A file that is still there."""

    kind = serializers.ChoiceField(choices=["file", "upload"])
    id = serializers.UUIDField(help_text="Of the detail, or of the direct upload.")
    instructionId = serializers.UUIDField(allow_null=True)  # noqa: N815
    imageId = serializers.UUIDField(allow_null=True)  # noqa: N815
    product = serializers.CharField(allow_null=True)
    owner = serializers.CharField()
    filename = serializers.CharField()
    bytes = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    createdAt = serializers.DateTimeField()  # noqa: N815
    finishedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    dueAt = serializers.DateTimeField(  # noqa: N815
        allow_null=True, help_text="When clean-up takes it; null: it is kept, or not over yet."
    )


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
