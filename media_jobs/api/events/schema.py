"""What the OpenAPI document says of /v1/events."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from media_jobs.api.events.serializers import EventSerializer, TicketSerializer
from media_jobs.api.shared.answers import DATABASE_AWAY, answers


class TicketScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "media_jobs.api.events.views.TicketAuthentication"
    name = "ticket"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "query", "name": "ticket", "description": "Of `POST /v1/events/ticket`."}


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

EVENTS = answers(
    {
        (200, "text/event-stream"): OpenApiResponse(
            EventSerializer,
            description="A stream without an end; each `data` is one such object",
            examples=[OpenApiExample("stream", _STREAM)],
        )
    },
    {
        400: ("jobs_not_named", "No credentials and no `job`, too many of them, or a Last-Event-ID that is none"),
        403: ("ticket_invalid", "The ticket was used, has expired, or was never issued"),
        404: ("not_found", "One of the jobs is not there, or another's"),
        503: ("too_many_waiters", "As many wait as there is room for, or the server stops; see Retry-After"),
    },
)
TICKET = answers({201: OpenApiResponse(TicketSerializer, description="Issued")}, {503: DATABASE_AWAY})
