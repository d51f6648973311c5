"""The JSON Schemas of messages, by name and version. A version never changes: what needs another form gets the next."""

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_FOLDER = Path(__file__).parent
NOTIFICATION, IMAGE_REQUEST = "notification.v1", "image-request.v1"


@functools.cache
def schema(name: str) -> Any:
    return json.loads((_FOLDER / f"{name}.json").read_text())


def problem(name: str, message: Any) -> str:
    """Return what is wrong with a message by its schema; nothing where it is right."""
    error = next(iter(sorted(Draft202012Validator(schema(name)).iter_errors(message), key=str)), None)
    return "" if error is None else str(error.message)[:500]
