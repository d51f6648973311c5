"""What /v1 answers about images: one, a list of them, one that was deleted."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs import selectors
from media_jobs.api.images.serializers import STATUS, DerivativeSerializer, JobSerializer
from media_jobs.api.shared.bodies.image_fields import TagsField
from media_jobs.models import Derivative, Original
from media_jobs.services.images import deletion
from media_jobs.services.images.deletion import Deleted
from media_jobs.states import JobState, OriginalState

_CHECKED = "Null until a file that came straight to the storage has been checked."


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
    restorableUntil = serializers.DateTimeField(required=False, help_text="Of deleted images only.")  # noqa: N815
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
        if image.deleted_at:
            until = deletion.describe(image).restorable_until
            answer["restorableUntil"] = self.fields["restorableUntil"].to_representation(until)
        return answer


@extend_schema_field(JobSerializer(many=True))
class _JobsField(serializers.Field[Any, Any, Any, Any]):
    """The jobs of an image; a field of ImageSerializer, which knows what was made."""

    def to_representation(self, image: Original) -> Any:
        shown = JobSerializer(context={"known": cast(ImageSerializer, self.parent).pictures(image)})
        return [shown.to_representation(job) for job in image.jobs.all()]


class ImageSerializer(ImageSummarySerializer):
    """A picture and all that is known of it."""

    # `context["private"]`: whether position and serial numbers are part of the answer, where they are kept.
    # `context["with_jobs"]`: whether jobs are.

    metadata = serializers.SerializerMethodField()
    privacy = serializers.SerializerMethodField()
    jobs = _JobsField(source="*", required=False, help_text="Absent for staff who may look at images, but not at jobs.")

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

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found = super().get_fields()
        if not self.context.get("with_jobs", True):
            del found["jobs"]
        return found

    def latest_state(self, image: Original) -> str:
        return next((job.state for job in image.jobs.all()), JobState.FAILED)

    def pictures(self, image: Original) -> list[Derivative]:
        """Return what is there of the image; asked for by several fields, and read once."""
        found: list[Derivative] | None = vars(image).get("pictures")
        if found is None:
            found = vars(image)["pictures"] = selectors.derivatives(image)
        return found


class DeletedSerializer(serializers.Serializer[Deleted]):
    """An image that was deleted."""

    imageId = serializers.UUIDField(source="image_id")  # noqa: N815
    deletedAt = serializers.DateTimeField(source="deleted_at")  # noqa: N815
    restorableUntil = serializers.DateTimeField(source="restorable_until")  # noqa: N815
