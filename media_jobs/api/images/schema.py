"""What the OpenAPI document says beside the wire words: headers, problems, examples."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from media_jobs.api.images.serializers import ProblemSerializer
from media_jobs.api.shared.idempotency import HEADER
from media_jobs.api.shared.problems import CONTENT_TYPE, document

_JOB, _IMAGE, _EARLIER, _UPLOAD = (
    "01990000-0000-7000-8000-000000000001",
    "01990000-0000-7000-8000-000000000002",
    "01990000-0000-7000-8000-000000000003",
    "01990000-0000-7000-8000-000000000004",
)

NO_JOB = ("not_found", "No such job, or another's")
NO_IMAGE = ("not_found", "No such image, or another's")
BAD_KEY = ("bad_idempotency_key", "A key with a value that it cannot have")
KEY_REUSED = ("idempotency_key_reused", f"The {HEADER} was sent before, with another request")
BACKLOG_FULL = (
    "backlog_full",
    "Too much is waiting, the disk is nearly full, or storage or database are away; see Retry-After",
)
DATABASE_AWAY = ("database_unavailable", "The database does not answer; see Retry-After")

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
    response=[200, 202, 503],
    description="Seconds after which to look, or to try, again: 1 to 60.",
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

_ACCEPTED = {"jobId": _JOB, "imageId": _IMAGE, "estimatedTime": 1200}
UPLOADED = [
    OpenApiExample("new", value=_ACCEPTED, summary="A new picture", response_only=True, status_codes=["202"]),
    OpenApiExample(
        "duplicate",
        value={**_ACCEPTED, "duplicateOf": _EARLIER},
        summary="The same bytes again",
        response_only=True,
        status_codes=["202"],
    ),
    OpenApiExample(
        "staged",
        value={"uploadId": _UPLOAD, "preset": "gallformers"},
        summary="A picture that is in the storage already",
        request_only=True,
        media_type="application/json",
    ),
]
OPENED = [
    OpenApiExample(
        "photo",
        value={"filename": "gall.jpg", "contentType": "image/jpeg", "bytes": 9_631_744},
        summary="A photo of a known size",
        request_only=True,
    ),
    OpenApiExample(
        "opened",
        value={
            "uploadId": _UPLOAD,
            "url": "https://bucket.s3.eu-central-1.amazonaws.com/",
            "fields": {
                "key": f"uploads/{_UPLOAD}",
                "Content-Type": "image/jpeg",
                "policy": "…",
                "x-amz-signature": "…",
            },
            "expiresAt": "2030-01-01T12:15:00Z",
            "maxBytes": 9_631_744,
        },
        summary="A form for S3",
        response_only=True,
        status_codes=["201"],
    ),
]


def answers(good: dict[int, Any], problems: dict[int, tuple[str, str]]) -> dict[Any, Any]:
    """What a call may answer; `problems` by the code of one of them and the meaning of all."""
    return good | {
        (status, CONTENT_TYPE): OpenApiResponse(
            ProblemSerializer,
            description=meaning,
            examples=[OpenApiExample(code, document(status, code, "A sentence for a person.", instance="/v1/…"))],
        )
        for status, (code, meaning) in problems.items()
    }
