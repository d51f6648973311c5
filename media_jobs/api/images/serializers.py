"""What /v1 answers, in its own words; `fields` has what it takes."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs import selectors
from media_jobs.api.shared.image_fields import TagsField
from media_jobs.models import Derivative, Job, Original
from media_jobs.services.images import deletion
from media_jobs.services.images.deletion import Deleted
from media_jobs.services.uploads.direct_uploads import Opened
from media_jobs.services.uploads.intake import Accepted
from media_jobs.states import JobState, OriginalState, Stage

STATUS = {
    JobState.QUEUED: "processing",
    JobState.PROCESSING: "processing",
    JobState.DONE: "done",
    JobState.FAILED: "error",
    JobState.CANCELLED: "error",
}
_CHECKED = "Null until a file that came straight to the storage has been checked."
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

    def to_representation(self, accepted: Accepted) -> dict[str, Any]:
        answer: dict[str, Any] = super().to_representation(accepted)
        if accepted.duplicate_of is None:
            del answer["duplicateOf"]
        return answer


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

    # `context["estimated_ms"]`: how long it will still take, where somebody has asked.

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
        return [_DERIVATIVE.to_representation(found) for found in selectors.derivatives_of(job)]

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


class RightsSerializer(serializers.Serializer[Original]):
    """Rights and origin as a person has stated them, and else as the file does, once a job is done; else absent."""

    creator = serializers.CharField(required=False)
    credit = serializers.CharField(required=False)
    copyright = serializers.CharField(required=False)
    licence = serializers.CharField(required=False, help_text="An address.")
    digitalSourceType = serializers.CharField(  # noqa: N815
        required=False, help_text="How it was made, such as by AI: the address of a term of IPTC's vocabulary."
    )


class PrivacySerializer(serializers.Serializer[Original]):
    """What the newest finished job found in the file beside its pixels: names only, never values. Null before it."""

    found = serializers.ListField(child=serializers.CharField())
    kept = serializers.ListField(
        child=serializers.CharField(), help_text="In the database, or written again as rights."
    )
    dropped = serializers.ListField(child=serializers.CharField())
    outputs = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What each derivative carries, as a scan of the finished file found it.",
    )


class ImageDerivativeSerializer(DerivativeSerializer):
    """A derivative as a part of its image."""

    # `context["image"]`: that image.

    stale = serializers.SerializerMethodField()

    @extend_schema_field(
        serializers.BooleanField(help_text="The rights were changed since it was made: a new run would make another.")
    )
    def get_stale(self, derivative: Derivative) -> bool:
        return selectors.is_stale(derivative, self.context["image"])


class ImageSummarySerializer(serializers.Serializer[Original]):
    """A picture as it stands in a list."""

    imageId = serializers.UUIDField(source="pk")  # noqa: N815
    status = serializers.SerializerMethodField()
    filename = serializers.CharField()
    contentType = serializers.CharField(source="content_type")  # noqa: N815
    bytes = serializers.SerializerMethodField()
    sha256 = serializers.SerializerMethodField()
    width = serializers.IntegerField(source="width_px", allow_null=True, help_text="As displayed, in px.")
    height = serializers.IntegerField(source="height_px", allow_null=True, help_text="As displayed, in px.")
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    restorableUntil = serializers.SerializerMethodField()  # noqa: N815
    tags = TagsField()
    rights = serializers.SerializerMethodField()
    placeholder = serializers.SerializerMethodField()
    dominantColour = serializers.SerializerMethodField()  # noqa: N815
    derivatives = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=sorted(set(STATUS.values())), help_text="Of the newest job."))
    def get_status(self, image: Original) -> str:
        return STATUS[JobState(self.latest_state(image))]

    @extend_schema_field(serializers.IntegerField(allow_null=True, help_text=_CHECKED))
    def get_bytes(self, image: Original) -> int | None:
        return None if image.state == OriginalState.STAGED else image.size_bytes

    @extend_schema_field(serializers.CharField(allow_null=True, help_text=_CHECKED))
    def get_sha256(self, image: Original) -> str | None:
        return None if image.state == OriginalState.STAGED else image.sha256

    @extend_schema_field(serializers.DateTimeField(help_text="Of deleted images only."))
    def get_restorableUntil(self, image: Original) -> Any:  # noqa: N802  (the wire's spelling)
        return deletion.describe(image).restorable_until if image.deleted_at else None

    @extend_schema_field(RightsSerializer)
    def get_rights(self, image: Original) -> Any:
        return image.rights.to_json()

    @extend_schema_field(
        serializers.CharField(allow_null=True, help_text="A tiny picture as a data URI; null before a job is done.")
    )
    def get_placeholder(self, image: Original) -> Any:
        return image.placeholder or None

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="#rrggbb; null before a job is done."))
    def get_dominantColour(self, image: Original) -> Any:  # noqa: N802  (the wire's spelling)
        return image.dominant_colour or None

    @extend_schema_field(ImageDerivativeSerializer(many=True))
    def get_derivatives(self, image: Original) -> Any:
        found = ImageDerivativeSerializer(context={"image": image})
        return [found.to_representation(derivative) for derivative in self.pictures(image)]

    def latest_state(self, image: Original) -> str:
        return image.latest_state or JobState.FAILED  # type: ignore[attr-defined]  # `image_lists` annotates it

    def pictures(self, image: Original) -> list[Derivative]:
        return image.pictures  # type: ignore[attr-defined,no-any-return]  # `image_lists` prefetches them

    def to_representation(self, image: Original) -> dict[str, Any]:
        answer: dict[str, Any] = super().to_representation(image)
        if answer["restorableUntil"] is None:
            del answer["restorableUntil"]
        return answer


class ImageSerializer(ImageSummarySerializer):
    """A picture and all that is known of it."""

    # `context["private"]`: whether position and serial numbers are part of the answer, where they are kept.

    metadata = serializers.SerializerMethodField()
    privacy = serializers.SerializerMethodField()
    jobs = serializers.SerializerMethodField()

    @extend_schema_field(
        serializers.DictField(
            help_text="width, height, orientation, captureDate, cameraMake, cameraModel, lens and exposure; position "
            "and serial numbers where they are kept, for who may read the original. What is unknown is absent."
        )
    )
    def get_metadata(self, image: Original) -> Any:
        shape = {"width": image.width_px, "height": image.height_px, "orientation": image.orientation}
        known = {name: value for name, value in shape.items() if value is not None}
        return known | image.metadata | (image.private_metadata if self.context["private"] else {})

    @extend_schema_field(PrivacySerializer(allow_null=True))
    def get_privacy(self, image: Original) -> Any:
        return selectors.receipt(image)

    @extend_schema_field(JobSerializer(many=True))
    def get_jobs(self, image: Original) -> Any:
        return [JobSerializer(job).data for job in image.jobs.all()]

    def latest_state(self, image: Original) -> str:
        return next((job.state for job in image.jobs.all()), JobState.FAILED)

    def pictures(self, image: Original) -> list[Derivative]:
        return selectors.derivatives(image)


class DeletedSerializer(serializers.Serializer[Deleted]):
    """An image that was deleted."""

    imageId = serializers.UUIDField(source="image_id")  # noqa: N815
    deletedAt = serializers.DateTimeField(source="deleted_at")  # noqa: N815
    restorableUntil = serializers.DateTimeField(source="restorable_until")  # noqa: N815
