"""The envelope of the Instrlabs API: `{"message", "errors", "data"}` around every answer."""

from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/json"


def of_data(message: str, data: Any) -> dict[str, Any]:
    """Return an answer that went well. message: what was done, for a person."""
    return {"message": message, "errors": None, "data": data}


def of_error(code: str, detail: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer that says what went wrong: by a code, a sentence for a person, and what else programs get."""
    return {"message": detail, "errors": [{"code": code, "detail": detail, **members}], "data": None}
