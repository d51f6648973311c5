"""What the OpenAPI document says of the calls of all APIs: headers, and problems."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from media_jobs.api.shared.idempotency import HEADER
from media_jobs.api.shared.problems import CONTENT_TYPE, document
from media_jobs.api.shared.readiness import LONGEST_WAIT_S

NO_JOB = ("not_found", "No such job, or another's")
BAD_KEY = ("bad_idempotency_key", "A key with a value that it cannot have")
KEY_REUSED = ("idempotency_key_reused", f"The {HEADER} was sent before, with another request")
BACKLOG_FULL = (
    "backlog_full",
    "Too much is waiting, the disk is nearly full, or storage or database are away; see Retry-After",
)
BAD_WAIT = ("bad_wait", f"wait is not a whole number from 0 to {LONGEST_WAIT_S}")
NOT_MODIFIED = OpenApiResponse(description="Nothing has changed")
DATABASE_AWAY = ("database_unavailable", "The database does not answer; see Retry-After")

#: What every call that knows its caller may answer.
OF_ALL_CALLS = {
    401: ("credential_missing", "No credential, or one that is wrong or over"),
    403: ("insufficient_scope", "A credential without the scope, or a page of a foreign origin"),
    429: ("quota_exceeded", "Asked too often; see Retry-After"),
}

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Any text of 1 to 255 visible ASCII characters that is new for each new request, such as a UUID. "
    "Sent again within 24 hours with the same request it gets the same answer, and nothing is done twice; that "
    "answer carries `Idempotency-Replayed: true`. A request that was refused does not use its key up.",
)
RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    response=[200, 202, 304, 503],
    description="Seconds after which to look, or to try, again: 1 to 60.",
)
WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_S, "default": 0},
    OpenApiParameter.QUERY,
    description="Seconds to wait for the job before answering. When very many wait, the answer comes at once.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The ETag of the answer that you have."
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 304],
    description="Changes with all that is said here but `estimatedTime`.",
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[202],
    description="`true` where this is the answer to an earlier request with the same key; else absent.",
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[202], description="Where to follow the job."
)


class ProblemSerializer(serializers.Serializer[None]):
    """RFC 9457."""

    type = serializers.CharField(help_text="The address of a page about this kind of error.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()  # type: ignore[assignment]  # RFC 9457's name
    code = serializers.CharField()


def answers(good: dict[Any, Any], problems: dict[int, tuple[str, str]]) -> dict[Any, Any]:
    """What a call may answer; `problems` by the code of one of them and the meaning of all.

    Those of all calls that know their caller come with them.
    """
    return good | {
        (status, CONTENT_TYPE): OpenApiResponse(
            ProblemSerializer,
            description=meaning,
            examples=[OpenApiExample(code, document(status, code, "A sentence for a person.", instance="/v1/…"))],
        )
        for status, (code, meaning) in sorted((OF_ALL_CALLS | problems).items())
    }
