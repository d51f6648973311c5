"""Requests whose body is one small JSON object."""

from collections.abc import Mapping
from typing import Any, cast

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request


class ObjectParser(JSONParser):
    """Reads one JSON object. Django holds the body to DATA_UPLOAD_MAX_MEMORY_SIZE."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            found = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        if not isinstance(found, dict):
            raise ParseError("Send one JSON object.")
        return found


def is_json(request: Request) -> bool:
    """Whether the head of the request says so."""
    media_type: str = request.content_type.partition(";")[0]
    return media_type.strip().lower() == ObjectParser.media_type


def object_of(request: Request) -> Mapping[str, Any]:
    """The request's body, as `ObjectParser` reads it."""
    return cast("Mapping[str, Any]", request.data)
