"""The wire words of /v1."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs import selectors
from media_jobs.models import Derivative, Job, Original
from media_jobs.states import JobState, Stage

STATUS = {
    JobState.QUEUED: "processing",
    JobState.PROCESSING: "processing",
    JobState.DONE: "done",
    JobState.FAILED: "error",
    JobState.CANCELLED: "error",
}
_CANCELLED = {"code": "cancelled", "detail": "The job was cancelled."}


class UploadSerializer(serializers.Serializer[None]):
    """The form of an upload, as the documentation shows it; the file itself is streamed past it."""

    file = serializers.FileField(help_text="The picture: JPEG, PNG, WebP, GIF or TIFF.")
    preset = serializers.CharField(required=False, default="gallformers", help_text="Which derivatives to make.")


class FieldsSerializer(serializers.Serializer[None]):
    """The text fields of an upload."""

    preset = serializers.CharField(default="gallformers", max_length=64)


class AcceptedSerializer(serializers.Serializer[Job]):
    jobId = serializers.UUIDField(source="pk")  # noqa: N815  (the wire's spelling)
    imageId = serializers.UUIDField(source="original_id")  # noqa: N815


class DerivativeSerializer(serializers.Serializer[Derivative]):
    name = serializers.CharField(source="rendition")
    key = serializers.CharField()
    url = serializers.SerializerMethodField()
    width = serializers.IntegerField(source="width_px")
    height = serializers.IntegerField(source="height_px")
    bytes = serializers.IntegerField(source="size_bytes")
    contentType = serializers.CharField(source="content_type")  # noqa: N815

    def get_url(self, derivative: Derivative) -> str:
        return selectors.derivative_url(derivative)


class JobSerializer(serializers.Serializer[Job]):
    jobId = serializers.UUIDField(source="pk")  # noqa: N815
    imageId = serializers.UUIDField(source="original_id")  # noqa: N815
    preset = serializers.CharField(source="preset.name")
    status = serializers.SerializerMethodField()
    stage = serializers.ChoiceField(choices=[stage.value for stage in Stage])
    progress = serializers.IntegerField(help_text="Per cent.")
    derivatives = serializers.SerializerMethodField()
    code = serializers.CharField(required=False, help_text="On error: why, for machines.")
    detail = serializers.CharField(required=False, help_text="On error: why, for people.")

    @extend_schema_field(serializers.ChoiceField(choices=sorted(set(STATUS.values()))))
    def get_status(self, job: Job) -> str:
        return STATUS[JobState(job.state)]

    @extend_schema_field(DerivativeSerializer(many=True))
    def get_derivatives(self, job: Job) -> Any:
        return [DerivativeSerializer(found).data for found in selectors.derivatives_of(job)]

    def to_representation(self, job: Job) -> dict[str, Any]:
        """`code` and `detail` are there on error only."""
        answer: dict[str, Any] = super().to_representation(job)
        if answer["status"] != "error":
            del answer["code"], answer["detail"]
        elif job.state == JobState.CANCELLED:
            answer |= _CANCELLED
        return answer


class ImageSerializer(serializers.Serializer[Original]):
    imageId = serializers.UUIDField(source="pk")  # noqa: N815
    filename = serializers.CharField()
    contentType = serializers.CharField(source="content_type")  # noqa: N815
    bytes = serializers.IntegerField(source="size_bytes")
    sha256 = serializers.CharField()
    width = serializers.IntegerField(source="width_px", allow_null=True, help_text="As displayed, in px.")
    height = serializers.IntegerField(source="height_px", allow_null=True, help_text="As displayed, in px.")
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    metadata = serializers.DictField()
    derivatives = serializers.SerializerMethodField()
    jobs = serializers.SerializerMethodField()

    @extend_schema_field(DerivativeSerializer(many=True))
    def get_derivatives(self, image: Original) -> Any:
        return [DerivativeSerializer(found).data for found in selectors.derivatives(image)]

    @extend_schema_field(JobSerializer(many=True))
    def get_jobs(self, image: Original) -> Any:
        return [JobSerializer(job).data for job in image.jobs.all()]


class ProblemSerializer(serializers.Serializer[None]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()  # type: ignore[assignment]  # RFC 9457's name
    code = serializers.CharField()
