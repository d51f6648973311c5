"""Fields that say something of an image: tags and rights."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from media_jobs.pipeline.privacy.capture import clean
from media_jobs.pipeline.privacy.rights import url

MOST_TAGS = 50
_TAG_CHARACTERS = 64
_RIGHT_CHARACTERS = 500


class TagsField(serializers.Field[tuple[str, ...], Any, list[str], Any]):
    """Words with commas between them, or a list of words; each once, in the order in which they came."""

    default_error_messages = {
        "invalid": "takes words with commas between them, or a list of them.",
        "too_many": f"takes at most {MOST_TAGS} words.",
        "too_long": f"takes words of at most {_TAG_CHARACTERS} characters.",
    }

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        parts = [data] if isinstance(data, str) else data
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            self.fail("invalid")
        words = (clean(word, _TAG_CHARACTERS + 1) for part in parts for word in part.split(","))
        tags = tuple(dict.fromkeys(filter(None, words)))
        if len(tags) > MOST_TAGS:
            self.fail("too_many")
        if any(len(tag) > _TAG_CHARACTERS for tag in tags):
            self.fail("too_long")
        return tags

    def to_representation(self, value: Any) -> list[str]:
        return [tag.name for tag in value.all()]


class TagsSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = TagsField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        words = {"type": "array", "items": {"type": "string"}}
        if direction == "response":
            return words
        return {"oneOf": [{"type": "string", "examples": ["vacation,beach,2024"]}, words]}


class RightField(serializers.CharField):
    """One of the rights of a picture, in one line."""

    default_error_messages = {"invisible": "takes a text that can be seen.", "url": "takes an address: http(s)://…"}

    def __init__(self, *, address: bool = False, **kwargs: Any) -> None:
        self.address = address
        super().__init__(required=False, max_length=_RIGHT_CHARACTERS, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        shown = url(text) if self.address else clean(text, len(text))
        if text and not shown:
            self.fail("url" if self.address else "invisible")
        return shown
