"""What callers of /v1 send."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs.api.shared.field_names import check_known
from media_jobs.pipeline.formats.sniff import BY_CONTENT_TYPE
from media_jobs.pipeline.values import Focus, Overrides
from media_jobs.services.originals import keep_by_default
from media_jobs.services.uploads.intake import UploadOptions


@extend_schema_field({"type": "string", "default": ""})
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


class Switch(serializers.BooleanField):
    """A switch of `values.Keep`, by its name there. Where it is absent the setting decides."""

    def __init__(self, keep: str, help_text: str) -> None:
        self.keep = keep
        super().__init__(
            required=False,
            source=f"preserve.{keep}",
            help_text=help_text,
            error_messages={"invalid": "takes true or false."},
        )


class SwitchSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Gives the setting as default: without one the documentation's form would fill in, and send, `true`."""

    target_class = Switch

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "boolean", "default": getattr(keep_by_default(), self.target.keep)}


class FieldsSerializer(serializers.Serializer[None]):
    """The text fields of an upload."""

    preset = serializers.CharField(
        default="gallformers", max_length=64, help_text="The name of a preset: which derivatives to make."
    )
    preserveTimestamps = Switch("timestamps", "Keep when the picture was taken in the database.")  # noqa: N815
    preserveCameraInfo = Switch("camera_info", "Keep camera, lens and exposure in the database.")  # noqa: N815
    preserveGps = Switch("gps", "Keep in the database where the picture was taken; never in a derivative.")  # noqa: N815
    preserveDeviceSerial = Switch(  # noqa: N815
        "device_serial", "Keep serial numbers in the database; never in a derivative."
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

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> "SentFields":
        """Return what was sent, checked. What is empty counts as not sent: browsers send the fields nobody filled in.

        Raises ValidationError, UnknownField.
        """
        check_known(sent, _made_once(cls).fields.keys())
        # A plain dict, because DRF takes a switch that is missing from a form for one that is off.
        given = {name: value for name, value in sent.items() if value not in ("", None)}
        valid: dict[str, Any] = _made_once(cls).run_validation(given)
        overrides = Overrides(valid.get("rotation", 0), valid.get("focus"))
        return SentFields(
            valid["preset"], UploadOptions(valid.get("preserve", {}), overrides), upload_id=valid.get("uploadId")
        )


@dataclass(frozen=True, slots=True)
class SentFields:
    """The fields of an upload. upload_id: of a picture that is in the storage already."""

    preset: str
    options: UploadOptions
    upload_id: UUID | None


@functools.cache
def _made_once(kind: type[serializers.Serializer[None]]) -> serializers.Serializer[None]:
    """A serializer without data, which keeps no state: DRF copies all of its fields each time that one is made."""
    return kind()


class UploadSerializer(FieldsSerializer):
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
        check_known(sent, _made_once(cls).fields.keys())
        said = _made_once(cls).run_validation(dict(sent))
        return {
            "filename": said["filename"],
            "content_type": said["contentType"],
            "size_bytes": said.get("bytes"),
            "sha256": said.get("sha256", ""),
        }

    def validate_filename(self, filename: str) -> str:
        """Strip the folders that some clients send along, as Django does for forms."""
        return re.split(r"[/\\]", filename)[-1].strip()
