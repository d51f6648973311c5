"""What /api/v1/ingest answers, in its own words."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from media_jobs import selectors
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.openapi.answers import ProblemSerializer
from media_jobs.models import Job, Original
from media_jobs.services.jobs.heartbeat import PROGRESS
from media_jobs.services.uploads.intake import Accepted
from media_jobs.states import JobState, Stage

STATUS = {
    JobState.QUEUED: "processing",
    JobState.PROCESSING: "processing",
    JobState.DONE: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}
#: While a picture is rendered its metadata come first: see `stage_of`.
STAGE = {
    Stage.WAITING: "queued",
    Stage.FETCHING: "fetching",
    Stage.RENDERING: "generating_variants",
    Stage.STORING: "storing",
    Stage.FINISHED: "storing",
}
_EXTRACTING = "extracting_metadata"
STAGES = ("queued", "fetching", _EXTRACTING, "generating_variants", "storing")

_MESSAGE = "Image upload accepted, processing started"
_CANCELLED = {"code": "cancelled", "detail": "The job was cancelled."}
_FACTS = ("captureDate", "cameraMake", "cameraModel")


def stage_of(job: Job) -> str:
    """What a worker does; the metadata are read before the first variant, and so before progress moves on."""
    if job.stage == Stage.RENDERING and job.progress <= PROGRESS[Stage.RENDERING]:
        return _EXTRACTING
    return STAGE[Stage(job.stage)]


@extend_schema_serializer(component_name="IngestAccepted")
class AcceptedSerializer(serializers.Serializer[Accepted]):
    """An upload that was taken in."""

    jobId = serializers.UUIDField(help_text="Ask GET status/{jobId} with it.")  # noqa: N815  (the wire's spelling)
    status = serializers.ChoiceField(choices=["processing"])
    estimatedTime = serializers.IntegerField(  # noqa: N815
        help_text="Milliseconds until it will probably be done: by how long the latest ones took and how many wait."
    )
    message = serializers.CharField()


def accepted(upload: Accepted) -> dict[str, Any]:
    return {
        "jobId": str(upload.job.pk),
        "status": STATUS[JobState(upload.job.state)],
        "estimatedTime": upload.estimated_ms,
        "message": _MESSAGE,
    }


class BatchFileSerializer(serializers.Serializer[None]):
    """What became of one file: either a `jobId` with what goes with it, or a `problem`."""

    filename = serializers.CharField()
    jobId = serializers.UUIDField(required=False)  # noqa: N815
    status = serializers.ChoiceField(choices=["processing"], required=False)
    estimatedTime = serializers.IntegerField(required=False, help_text="Milliseconds.")  # noqa: N815
    message = serializers.CharField(required=False)
    problem = ProblemSerializer(required=False)


class BatchSerializer(serializers.Serializer[None]):
    """What became of the files."""

    files = BatchFileSerializer(many=True, help_text="In the order in which they came.")
    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()


class UrlsSerializer(serializers.Serializer[None]):
    """Addresses that never change. The original is for who may read it; the others are public.

    A job that came in by `/v1` has those of its own preset instead.
    """

    thumbnail = serializers.URLField(required=False, help_text="WebP, 300 px on the longest side.")
    thumbnail_legacy = serializers.URLField(required=False, help_text="The same as JPEG.")
    web = serializers.URLField(required=False, help_text="WebP, 1920 px on the longest side.")
    web_legacy = serializers.URLField(required=False, help_text="The same as JPEG.")
    original = serializers.URLField(help_text="Authorises, and redirects to a link that ends after five minutes.")


class PositionSerializer(serializers.Serializer[None]):
    """Degrees, north and east positive."""

    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    altitude = serializers.FloatField(required=False, help_text="Metres.")


class MetadataSerializer(serializers.Serializer[None]):
    """What is known of the picture. What is unknown, or not kept, is absent."""

    width = serializers.IntegerField(help_text="Of the original as displayed, in px.")
    height = serializers.IntegerField(help_text="Of the original as displayed, in px.")
    captureDate = serializers.CharField(required=False, help_text="ISO 8601.")  # noqa: N815
    cameraMake = serializers.CharField(required=False)  # noqa: N815
    cameraModel = serializers.CharField(required=False)  # noqa: N815
    gps = PositionSerializer(required=False, help_text="Only where its uploader has asked for it, for who may see it.")


@extend_schema_serializer(component_name="IngestStatus")
class StatusSerializer(serializers.Serializer[Job]):
    """How far a job is: `progress` and `stage` while it is processed; then what came of it, or why nothing did."""

    jobId = serializers.UUIDField()  # noqa: N815
    status = serializers.ChoiceField(choices=sorted(set(STATUS.values())))
    progress = serializers.IntegerField(required=False, help_text="Per cent, while processing.")
    stage = serializers.ChoiceField(choices=STAGES, required=False)
    imageId = serializers.UUIDField(required=False)  # noqa: N815
    urls = UrlsSerializer(required=False)
    metadata = MetadataSerializer(required=False)
    code = serializers.CharField(required=False, help_text="Failed or cancelled: why, for machines.")
    detail = serializers.CharField(required=False, help_text="Failed or cancelled: why, for people.")


class HealthSerializer(serializers.Serializer[None]):
    """Whether the parts of the service answer."""

    status = serializers.ChoiceField(choices=["ok", "unavailable"])
    checks = serializers.DictField(child=serializers.DictField(), help_text="By the name of the part: ok, ms, error.")


def status(job: Job, *, private: bool) -> dict[str, Any]:
    """Say how far the job is. private: with the position of the picture, where that is kept."""
    answer = {"jobId": str(job.pk), "status": STATUS[JobState(job.state)]}
    if job.state == JobState.DONE:
        image = job.original
        return answer | {"imageId": str(image.pk), "urls": _urls(job), "metadata": _metadata(image, private=private)}
    if job.state == JobState.FAILED:
        return answer | {"code": job.code, "detail": job.detail}
    if job.state == JobState.CANCELLED:
        return answer | _CANCELLED
    return answer | {"progress": job.progress, "stage": stage_of(job)}


def shown(job: Job, request: Request) -> dict[str, Any]:
    """Say how far the job is to whoever asks."""
    return status(job, private=caller_of(request).may_read_original(job.original.owner))


def _urls(job: Job) -> dict[str, str]:
    made = {d.rendition.replace("-", "_"): selectors.derivative_url(d) for d in selectors.derivatives_of(job)}
    return made | {"original": f"{settings.PUBLIC_BASE_URL}{reverse('v1-original', args=[job.original_id])}"}


def _metadata(image: Original, *, private: bool) -> dict[str, Any]:
    known = {"width": image.width_px, "height": image.height_px}
    known |= {name: image.metadata[name] for name in _FACTS if name in image.metadata}
    if private and "gps" in image.private_metadata:
        known["gps"] = image.private_metadata["gps"]
    return known
