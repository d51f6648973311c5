"""What the server answers by itself, to requests that never reach the application."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from media_jobs import errors

#: What the types of problem documents begin with, as in `api.shared.problem_types`.
_PAGES = "/docs/problems/"
#: Below these addresses answers come in an envelope, as in `api.shared.routes`.
_IN_ENVELOPES = ("/instructions", "/products", "/files", "/health")
#: So much is told of what the parser says, which quotes the client.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    error: type[errors.MediaError]
    title: str


_REFUSALS: dict[str, _Refusal] = {
    refusal.error.code: refusal
    for refusal in (
        _Refusal(400, errors.NotHttp, "Not HTTP"),
        _Refusal(400, errors.MalformedRequest, "Malformed request"),
        _Refusal(408, errors.RequestTooSlow, "Request too slow"),
        _Refusal(414, errors.AddressTooLong, "Address too long"),
        _Refusal(417, errors.ExpectationFailed, "Unknown expectation"),
        _Refusal(431, errors.HeadTooLarge, "Header fields too large"),
        _Refusal(500, errors.AnswerFailed, "Internal error"),
        _Refusal(501, errors.UnsupportedTransferCoding, "Unknown transfer coding"),
        _Refusal(503, errors.TooManyUploads, "No room for another upload"),
        _Refusal(503, errors.Overloaded, "Too many requests at once"),
    )
}
CODES = tuple(_REFUSALS)
#: What is wrong with requests that gunicorn's parser refuses; all others are malformed.
_OF_PARSER: tuple[tuple[type[Exception], type[errors.MediaError]], ...] = (
    (LimitRequestLine, errors.AddressTooLong),
    (LimitRequestHeaders, errors.HeadTooLarge),
    (ExpectationFailed, errors.ExpectationFailed),
    (UnsupportedTransferCoding, errors.UnsupportedTransferCoding),
)


def of_exception(exc: Exception) -> tuple[str, ...]:
    """What `answer` tells of an exception that reached gunicorn: its code, and what its sentence takes."""
    if not isinstance(exc, ParseException) or isinstance(exc, InvalidResponseHeader | InvalidResponseHeaderName):
        return (errors.AnswerFailed.code,)
    for raised, error in _OF_PARSER:
        if isinstance(exc, raised):
            return (error.code,)
    return errors.MalformedRequest.code, f"{str(exc)[:_SHOWN]}."


def status_of(code: str) -> int:
    return _REFUSALS[code].status


def answer(code: str, path: str = "", *facts: str) -> bytes:
    """The whole answer with this code, after which the connection is closed.

    path: what was asked for, where known. facts: what the sentence of the error takes.
    """
    refusal = _REFUSALS[code]
    error = refusal.error(*facts)
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
