"""What /v1 answers, in its own words; `fields` has what it takes."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs import selectors
from media_jobs.models import Derivative, Job
from media_jobs.services.uploads.direct_uploads import Opened
from media_jobs.services.uploads.intake import Accepted
from media_jobs.states import JobState, Stage

STATUS = {
    JobState.QUEUED: "processing",
    JobState.PROCESSING: "processing",
    JobState.DONE: "done",
    JobState.FAILED: "error",
    JobState.CANCELLED: "error",
}
_CANCELLED = {"code": "cancelled", "detail": "The job was cancelled."}
_ESTIMATED = "Milliseconds until the job will probably be done: by how long the latest ones took and how many wait."


class AcceptedSerializer(serializers.Serializer[Accepted]):
    """An accepted upload or retry, and how long its job will take."""

    jobId = serializers.UUIDField(source="job.pk")  # noqa: N815  (the wire's spelling)
    imageId = serializers.UUIDField(source="job.original_id")  # noqa: N815
    estimatedTime = serializers.IntegerField(source="estimated_ms", help_text=_ESTIMATED)  # noqa: N815


class UploadedSerializer(AcceptedSerializer):
    """An accepted upload, and an earlier one of the same bytes."""

    duplicateOf = serializers.UUIDField(  # noqa: N815
        source="duplicate_of",
        required=False,
        help_text="An image that the same caller uploaded before, with the very same bytes. Absent where there is "
        "none. Both are kept.",
    )
    shadowId = serializers.UUIDField(  # noqa: N815
        source="shadow_id", required=False, help_text="With shadow=true: for `GET /v1/shadow/{shadowId}`."
    )

    def to_representation(self, accepted: Accepted) -> dict[str, Any]:
        answer: dict[str, Any] = super().to_representation(accepted)
        return {name: value for name, value in answer.items() if value is not None}


class OpenedSerializer(serializers.Serializer[Opened]):
    """How to store a file."""

    uploadId = serializers.UUIDField(source="upload.pk")  # noqa: N815  (the wire's spelling)
    url = serializers.CharField(source="form.url", help_text="Where to POST the form.")
    fields = serializers.DictField(  # type: ignore[assignment]  # DRF takes it out of the class
        source="form.fields",
        child=serializers.CharField(),
        help_text="The form's text fields; the picture comes after them, in the field `file`.",
    )
    expiresAt = serializers.SerializerMethodField()  # noqa: N815
    maxBytes = serializers.IntegerField(  # noqa: N815
        source="most_bytes", help_text="What the storage takes; where the size was announced, that and no less."
    )

    @extend_schema_field(serializers.DateTimeField(help_text="The storage has to have the whole form by then."))
    def get_expiresAt(self, opened: Opened) -> str:  # noqa: N802  (the wire's spelling)
        return (timezone.now() + timedelta(seconds=opened.expires_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


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


#: Made once: DRF copies all fields of a serializer each time that one is made.
_DERIVATIVE = DerivativeSerializer()


class JobSerializer(serializers.Serializer[Job]):
    """A job and what came of it."""

    # `context["estimated_ms"]`: how long it will still take, where somebody has asked. `context["known"]`: all current
    # derivatives of its image, where they are known already.

    jobId = serializers.UUIDField(source="pk")  # noqa: N815
    imageId = serializers.UUIDField(source="original_id")  # noqa: N815
    preset = serializers.CharField(source="preset.name")
    status = serializers.SerializerMethodField()
    stage = serializers.ChoiceField(choices=[stage.value for stage in Stage])
    progress = serializers.IntegerField(help_text="Per cent.")
    estimatedTime = serializers.IntegerField(  # noqa: N815
        source="estimated_ms", required=False, help_text=f"While processing, where one job is asked for. {_ESTIMATED}"
    )
    derivatives = serializers.SerializerMethodField()
    code = serializers.CharField(required=False, help_text="On error: why, for machines.")
    detail = serializers.CharField(required=False, help_text="On error: why, for people.")

    @extend_schema_field(serializers.ChoiceField(choices=sorted(set(STATUS.values()))))
    def get_status(self, job: Job) -> str:
        return STATUS[JobState(job.state)]

    @extend_schema_field(DerivativeSerializer(many=True))
    def get_derivatives(self, job: Job) -> Any:
        made = selectors.derivatives_of(job, self.context.get("known"))
        return [_DERIVATIVE.to_representation(found) for found in made]

    def to_representation(self, job: Job) -> dict[str, Any]:
        """`code` and `detail` are there on error only."""
        answer: dict[str, Any] = super().to_representation(job)
        if "estimated_ms" in self.context:
            answer["estimatedTime"] = self.context["estimated_ms"]
        if answer["status"] != "error":
            del answer["code"], answer["detail"]
        elif job.state == JobState.CANCELLED:
            answer |= _CANCELLED
        return answer
