"""The header Idempotency-Key, as in the IETF's draft, and that of answers which are given again."""

import re

from rest_framework.request import Request
from rest_framework.response import Response

from media_jobs.errors import BadIdempotencyKey
from media_jobs.services.idempotency import Answer

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}

_VISIBLE = re.compile(r"[!-~]{1,255}")
#: A string of RFC 8941: quotes and backslashes within are escaped.
_QUOTED = re.compile(r'"((?:[!#-\[\]-~]|\\["\\])*)"')


def answered(answer: Answer) -> Response:
    """Give an answer, perhaps again."""
    return Response(answer.body, status=answer.status, headers=REPLAYED if answer.replayed else None)


def key_of(request: Request) -> str | None:
    """What was sent, without the quotes that the draft wants and few send. Raises BadIdempotencyKey."""
    key: str | None = request.headers.get(HEADER)
    if key is None:
        return None
    if key.startswith('"'):
        quoted = _QUOTED.fullmatch(key)
        key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if not _VISIBLE.fullmatch(key):
        raise BadIdempotencyKey
    return key
