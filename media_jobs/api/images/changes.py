"""What may be changed of an image."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from media_jobs.api.shared.bodies.field_names import check_known, checked, made_once
from media_jobs.api.shared.bodies.image_fields import RightField, TagsField


class RightsChange(serializers.Serializer[None]):
    """Each: a text goes before what the file says; an empty one says that there is none; null lets the file decide."""

    creator = RightField(allow_blank=True, allow_null=True)
    credit = RightField(allow_blank=True, allow_null=True)
    copyright = RightField(allow_blank=True, allow_null=True)
    licence = RightField(address=True, allow_blank=True, allow_null=True, help_text="An address.")


class ChangesSerializer(serializers.Serializer[None]):
    """What is not named stays as it is."""

    tags = TagsField(required=False, help_text="All tags that it is to have: a list, or words with commas.")
    rights = RightsChange(required=False, error_messages={"invalid": "takes an object."})

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes by the names that `services.images.editing.change` has for them.

        Raises ValidationError, UnknownField.
        """
        if isinstance(rights := sent.get("rights"), dict):
            names = [f"rights.{name}" for name in made_once(RightsChange).fields]
            check_known([f"rights.{name}" for name in rights], names)
        return checked(cls, sent)
