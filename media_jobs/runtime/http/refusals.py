"""What the event loop answers by itself, to requests that get no thread."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gunicorn import util

from media_jobs import errors

#: What the types of problem documents begin with, as in `api.shared.problem_types`.
_PAGES = "/docs/problems/"
#: Below these addresses answers come in an envelope, as in `api.shared.routes`.
_IN_ENVELOPES = ("/instructions", "/products", "/files", "/health")


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    error: type[errors.MediaError]
    title: str


_REFUSALS: dict[str, _Refusal] = {
    refusal.error.code: refusal
    for refusal in (
        _Refusal(400, errors.NotHttp, "Not HTTP"),
        _Refusal(408, errors.RequestTooSlow, "Request too slow"),
        _Refusal(431, errors.HeadTooLarge, "Header fields too large"),
        _Refusal(503, errors.TooManyUploads, "No room for another upload"),
        _Refusal(503, errors.Overloaded, "Too many requests at once"),
    )
}
CODES = tuple(_REFUSALS)


def answer(code: str, path: str = "") -> bytes:
    """The whole answer with this code, after which the connection is closed. path: what was asked for, where known."""
    refusal = _REFUSALS[code]
    error = refusal.error()
    content_type, document = _document(code, refusal, str(error), path)
    body = json.dumps(document).encode()
    head = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        f"Date: {util.http_date()}",
        "Connection: close",
        "Cache-Control: no-store",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    ]
    if error.retry_after_s is not None:
        head.append(f"Retry-After: {error.retry_after_s}")
    return "\r\n".join([*head, "", ""]).encode() + body


def _document(code: str, refusal: _Refusal, detail: str, path: str) -> tuple[str, dict[str, Any]]:
    """Return content type and body, as views below this path answer."""
    if f"{path}/".startswith(tuple(f"{prefix}/" for prefix in _IN_ENVELOPES)):
        return "application/json", {"message": detail, "errors": [{"code": code, "detail": detail}], "data": None}
    problem = {
        "type": f"{_PAGES}{code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": detail,
        "code": code,
    }
    return "application/problem+json", problem
