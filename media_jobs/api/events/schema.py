"""What the OpenAPI document says of /v1/events."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from media_jobs.api.events.serializers import EventSerializer
from media_jobs.api.shared.problems import CONTENT_TYPE, document

_JOB = "01990000-0000-7000-8000-000000000001"
_STREAM = (
    "retry: 1874\nevent: heartbeat\nid: 812-9223372036854775807\ndata: {}\n\n"
    f'id: 815-1034\ndata: {{"jobId": "{_JOB}", "imageId": "01990000-0000-7000-8000-000000000002", "number": 3, '
    '"type": "done", "status": "done", "at": "2030-01-01T12:00:00+00:00"}\n\n'
)

FOLLOWING = [
    OpenApiParameter(
        "job",
        OpenApiTypes.UUID,
        OpenApiParameter.QUERY,
        many=True,
        description="Only of these jobs, at most 100. Callers without credentials have to name them.",
    ),
    OpenApiParameter("ticket", OpenApiTypes.STR, OpenApiParameter.QUERY, description="In place of a credential."),
    OpenApiParameter(
        "Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The id that came last, to go on there."
    ),
    OpenApiParameter(
        "lastEventId", OpenApiTypes.STR, OpenApiParameter.QUERY, description="The same, for who cannot set the header."
    ),
]


def _problem(status: int, code: str, meaning: str) -> dict[tuple[int, str], OpenApiResponse]:
    example = OpenApiExample(code, document(status, code, "A sentence for a person.", instance="/v1/events"))
    return {(status, CONTENT_TYPE): OpenApiResponse(OpenApiTypes.OBJECT, description=meaning, examples=[example])}


EVENTS: dict[Any, Any] = {
    (200, "text/event-stream"): OpenApiResponse(
        EventSerializer,
        description="A stream without an end; each `data` is one such object",
        examples=[OpenApiExample("stream", _STREAM)],
    ),
    **_problem(400, "jobs_not_named", "No credentials and no `job`, too many of them, or an id that is none"),
    **_problem(403, "ticket_invalid", "The ticket was used, has expired, or was never issued"),
    **_problem(404, "not_found", "One of the jobs is not there, or another's"),
    **_problem(503, "too_many_waiters", "As many wait as there is room for, or the server stops; see Retry-After"),
}
TICKET_PROBLEMS = _problem(503, "database_unavailable", "The database does not answer; see Retry-After")
