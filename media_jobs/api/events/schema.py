"""What the OpenAPI document says of /v1/events."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from media_jobs.api.events.serializers import EventSerializer, TicketSerializer
from media_jobs.api.shared.openapi import answers
from media_jobs.api.shared.problems.documents import CONTENT_TYPE


class TicketScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "media_jobs.api.events.views.TicketAuthentication"
    name = "ticket"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "query", "name": "ticket", "description": "Of `POST /v1/events/ticket`."}


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

EVENTS = answers.of_reads(
    {(200, "text/event-stream"): OpenApiResponse(EventSerializer, description="A stream without an end")},
    "jobs_not_named",
    "bad_cursor",
    "ticket_invalid",
    "not_found",
    "too_many_waiters",
)
del EVENTS[406, CONTENT_TYPE]  # whatever is accepted
TICKET = answers.of_changes({201: OpenApiResponse(TicketSerializer, description="Issued")})


def describe_stream(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular, which knows no streams: the body is a text, and the data of each message an object."""
    media = result["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    media["schema"] = {"type": "string", "contentMediaType": "text/event-stream", "contentSchema": media["schema"]}
    return result
