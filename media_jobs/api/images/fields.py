"""What callers of /v1 send."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from rest_framework import serializers

from media_jobs.api.shared.bodies.field_names import checked
from media_jobs.api.shared.bodies.image_fields import RightField
from media_jobs.api.shared.bodies.upload_fields import FileFirst, UploadFields, validated
from media_jobs.pipeline.formats.sniff import BY_CONTENT_TYPE
from media_jobs.pipeline.recipes import LEGACY
from media_jobs.pipeline.values import Focus, Overrides
from media_jobs.services.uploads.intake import UploadOptions


class FocusField(serializers.CharField):
    """`x,y` as a `Focus`."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            x, y = super().to_internal_value(data).split(",")
            return Focus(float(x), float(y))
        except ValueError:
            raise serializers.ValidationError(
                "takes two numbers from 0 to 1 with a comma between them, as in 0.5,0.25."
            ) from None


class FieldsSerializer(UploadFields):
    """The text fields of an upload."""

    preset = serializers.CharField(
        default="gallformers", max_length=64, help_text="The name of a preset: which derivatives to make."
    )
    rotation = serializers.ChoiceField(
        choices=[0, 90, 180, 270],
        required=False,
        help_text="Degrees clockwise by which to turn the picture, on top of what the file says.",
        error_messages={"invalid_choice": "takes 0, 90, 180 or 270."},
    )
    focus = FocusField(
        required=False,
        help_text="The point that matters, where something is cropped: “x,y” as fractions of the displayed width and "
        "height, such as 0.5,0.25.",
    )

    creator = RightField(source="rights.creator", help_text="Who made the picture. Goes before what the file says.")
    credit = RightField(source="rights.credit", help_text="Whom to name beside it. Goes before what the file says.")
    copyright = RightField(source="rights.copyright", help_text="Who holds the rights. Goes before what the file says.")
    licence = RightField(
        source="rights.licence", address=True, help_text="The address of its licence. Goes before what the file says."
    )

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> "SentFields":
        """Return what was sent, checked. Raises ValidationError, UnknownField."""
        valid = validated(cls, sent)
        options = UploadOptions(
            valid.get("preserve", {}),
            Overrides(valid.get("rotation", 0), valid.get("focus")),
            valid.get("rights", {}),
            valid.get("tags", ()),
        )
        return SentFields(valid["preset"], options, upload_id=valid.get("uploadId"))


@dataclass(frozen=True, slots=True)
class SentFields:
    """The fields of an upload.

    upload_id: of a picture that is in the storage already. shadow_of: the key of the same picture at the site of which
    this is the shadow, if any.
    """

    preset: str
    options: UploadOptions
    upload_id: UUID | None = None
    shadow_of: str = ""


class FormSerializer(FieldsSerializer):
    """The text fields of an upload that comes as a form."""

    shadow = serializers.BooleanField(
        required=False,
        help_text="During a cut-over: the site makes its own sizes of this picture, too, and both are to be compared. "
        "It waits behind uploads, by the preset `gallformers-legacy`, and its pictures are deleted after some weeks. "
        "It takes the scope `shadow`, too.",
        error_messages={"invalid": "takes true or false."},
    )
    legacyKey = serializers.CharField(  # noqa: N815  (the wire's spelling)
        required=False,
        max_length=255,
        help_text="With shadow=true: the key of the site’s own original, such as gall/12/12_1700000000_original.jpg.",
    )

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> SentFields:
        fields, valid = super().read(sent), validated(cls, sent)
        key = valid.get("legacyKey", "")
        if not valid.get("shadow", False):
            if key:
                raise serializers.ValidationError({"legacyKey": ["goes with shadow=true."]})
            return fields
        if not key:
            raise serializers.ValidationError({"legacyKey": ["is needed with shadow=true."]})
        if sent.get("preset") not in ("", None, LEGACY.name):
            raise serializers.ValidationError({"preset": [f"is {LEGACY.name} with shadow=true; leave it out."]})
        return replace(fields, preset=LEGACY.name, shadow_of=key)


class UploadSerializer(FileFirst, FormSerializer):
    """The form of an upload, as the documentation shows it; the file itself is streamed past it."""

    file = serializers.FileField(
        help_text="The picture: JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP or RAW (DNG, CR2, CR3, NEF, ARW, RAF, "
        "ORF, RW2)."
    )


class StagedSerializer(FieldsSerializer):
    """The same fields as JSON, for a file that is in the storage already."""

    uploadId = serializers.UUIDField(help_text="Of `POST /v1/uploads`.")  # noqa: N815  (the wire's spelling)


class AnnouncedSerializer(serializers.Serializer[None]):
    """A file that its uploader will store by itself."""

    filename = serializers.CharField(max_length=255)
    contentType = serializers.CharField(  # noqa: N815  (the wire's spelling)
        default="",
        allow_blank=True,
        max_length=255,
        help_text=f"One of {', '.join(sorted(BY_CONTENT_TYPE))}. Without it, or with application/octet-stream, the "
        "end of the file name decides.",
    )
    bytes = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="Exactly how many it has. Without it the storage takes any allowed size.",
    )
    sha256 = serializers.RegexField(
        r"^[0-9a-fA-F]{64}\Z",
        required=False,
        help_text="Of the file, in hexadecimal: the job fails where another one arrives.",
        error_messages={"invalid": "takes 64 hexadecimal digits."},
    )

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> dict[str, Any]:
        """What valid fields say, by the names that `services.uploads.direct_uploads.begin` has for it.

        Raises ValidationError, UnknownField.
        """
        said = checked(cls, sent)
        return {
            "filename": said["filename"],
            "content_type": said["contentType"],
            "size_bytes": said.get("bytes"),
            "sha256": said.get("sha256", ""),
        }

    def validate_filename(self, filename: str) -> str:
        """Strip the folders that some clients send along, as Django does for forms."""
        return re.split(r"[/\\]", filename)[-1].strip()
