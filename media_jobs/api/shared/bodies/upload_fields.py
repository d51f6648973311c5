"""The text fields that uploads of all APIs share, and how they are read."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from media_jobs.api.shared.bodies.field_names import check_known, made_once
from media_jobs.api.shared.bodies.image_fields import TagsField
from media_jobs.services.originals import keep_by_default
from media_jobs.services.uploads.intake import UploadOptions


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


class UploadFields(serializers.Serializer[None]):
    """What may be said of a picture in every form that brings one."""

    tags = TagsField(required=False, help_text="Words to find the picture by, with commas between them.")
    preserveTimestamps = Switch("timestamps", "Keep when the picture was taken in the database.")  # noqa: N815
    preserveCameraInfo = Switch("camera_info", "Keep camera, lens and exposure in the database.")  # noqa: N815
    preserveGps = Switch("gps", "Keep in the database where the picture was taken; never in a derivative.")  # noqa: N815
    preserveDeviceSerial = Switch(  # noqa: N815
        "device_serial", "Keep serial numbers in the database; never in a derivative."
    )


class FileFirst(serializers.Serializer[None]):
    """A form as the documentation shows it: its last field, which takes the file, comes first."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        *_, name = fields
        return {name: fields.pop(name), **fields}


def validated(kind: type[serializers.Serializer[None]], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent, checked. What is empty counts as not sent: browsers send the fields nobody filled in.

    Raises ValidationError, UnknownField.
    """
    serializer = made_once(kind)
    check_known(sent, serializer.fields.keys())
    # A plain dict, because DRF takes a switch that is missing from a form for one that is off.
    given = {name: value for name, value in sent.items() if value not in ("", None)}
    if isinstance(sent, QueryDict) and "tags" in given:
        given["tags"] = sent.getlist("tags")
    found: dict[str, Any] = serializer.run_validation(given)
    return found


def options_of(sent: Mapping[str, Any]) -> UploadOptions:
    """Return what the text fields ask for. Raises ValidationError, UnknownField."""
    valid = validated(UploadFields, sent)
    return UploadOptions(valid.get("preserve", {}), tags=valid.get("tags", ()))
