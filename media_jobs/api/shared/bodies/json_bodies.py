"""Requests whose body is one small JSON object."""

import codecs
import json
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from media_jobs.errors import BadJson


class ObjectParser(JSONParser):
    """Reads one JSON object in UTF-8.

    Django holds the body to DATA_UPLOAD_MAX_MEMORY_SIZE: DRF sees to that for what is a JSONParser. What is wrong is
    said in our own words: those of a parser are for programmers, and change with its versions.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            found = json.load(codecs.getreader("utf-8")(stream), parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise BadJson(f"The body stops being JSON in line {error.lineno}, character {error.colno}.") from error
        except UnicodeDecodeError as error:
            raise BadJson("The body is not in UTF-8.") from error
        except RecursionError as error:
            raise BadJson("The JSON is nested too deeply.") from error
        except ValueError as error:  # a number of thousands of digits
            raise BadJson("The JSON has a number that is too long.") from error
        if not isinstance(found, dict):
            raise BadJson("Send one JSON object, as in {…}.")
        return found


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(f"The JSON has {name} in it, which is no number of JSON.")


def is_json(request: Request) -> bool:
    """Whether the head of the request says so."""
    media_type: str = request.content_type.partition(";")[0]
    return media_type.strip().lower() == ObjectParser.media_type


def object_of(request: Request) -> Mapping[str, Any]:
    """The request's body, as `ObjectParser` reads it."""
    return cast("Mapping[str, Any]", request.data)
