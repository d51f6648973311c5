"""/v1/events: what happens to the caller's jobs, as Server-Sent Events."""

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import event_log, selectors
from media_jobs.api.events import schema
from media_jobs.api.events.serializers import TicketSerializer
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.parking import room_of
from media_jobs.callers import Caller, Scope
from media_jobs.errors import BadCursor, JobsNotNamed, TooManyWaiters
from media_jobs.event_log import EventCursor
from media_jobs.services.waiting import feed, tickets
from media_jobs.services.waiting.waits import Parked, Stream

MOST_JOBS = 100
#: After so long, in ms, a browser connects again: not all of them at once when a server has stopped.
_RETRY_MS = (1000, 3000)
_HEADERS = {
    "Cache-Control": "private, no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "Incremental": "?1",
}


class TicketAuthentication(BaseAuthentication):
    """Whoever was given the ticket in the parameter `ticket`. Without one, the others decide."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        ticket = request.query_params.get("ticket")
        return (tickets.redeem(ticket), None) if ticket is not None else None


class _WhateverIsAccepted(DefaultContentNegotiation):
    """EventSource accepts `text/event-stream` only; what is refused is told as JSON all the same."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class EventsView(APIView):
    authentication_classes = [TicketAuthentication, *APIView.authentication_classes]
    content_negotiation_class = _WhateverIsAccepted

    @extend_schema(
        operation_id="followEvents",
        summary="Follow your jobs live, as Server-Sent Events",
        description="Each event of your jobs comes as a `message` whose data is JSON; staff are told of all jobs that "
        "they may see. `heartbeat` events come every 15 seconds in between. The stream ends after a quarter of an "
        "hour, or when the server stops: connect again with the id that came last in `Last-Event-ID`, as browsers do "
        "by themselves, and nothing is missed and nothing comes twice. Without it the stream begins now. A browser's "
        "EventSource cannot send credentials: get a ticket first.",
        parameters=schema.FOLLOWING,
        responses=schema.EVENTS,
    )
    def get(self, request: Request) -> HttpResponseBase:
        caller, jobs, cursor = caller_of(request), _named_jobs(request), _cursor(request)
        if not (jobs or caller.is_authenticated):
            raise JobsNotNamed(most=MOST_JOBS)
        if selectors.count_readable(jobs, caller) < len(jobs):
            raise Http404
        stream = Stream(caller, cursor or event_log.horizon(), jobs=jobs)
        if room_of(request) is None:
            raise TooManyWaiters
        begin = feed.heartbeat(stream.cursor, retry_ms=random.randint(*_RETRY_MS))  # noqa: S311  (to spread load)
        messages = [begin] if request.method == "HEAD" else _messages(begin, stream)
        return StreamingHttpResponse(messages, content_type="text/event-stream", headers=_HEADERS)


class TicketView(APIView):
    scopes = {"POST": Scope.READ}

    @extend_schema(
        operation_id="createEventsTicket",
        summary="Get a ticket for a browser's EventSource",
        description="It stands for your credential: connect to `/v1/events?ticket=…` with it, once, within "
        f"{tickets.LIFETIME_S} seconds.",
        request=None,
        responses=schema.TICKET,
    )
    def post(self, request: Request) -> Response:
        ticket = {"ticket": tickets.issue(caller_of(request)), "expiresIn": tickets.LIFETIME_S}
        return Response(TicketSerializer(ticket).data, status=201, headers={"Cache-Control": "no-store"})


def _messages(begin: bytes, stream: Stream) -> Iterator[bytes]:
    yield begin
    raise Parked(stream)


def _named_jobs(request: Request) -> frozenset[UUID]:
    """The jobs that the caller names. Raises Http404 for what is no id, and JobsNotNamed for too many."""
    names: list[str] = request.query_params.getlist("job")
    if len(names) > MOST_JOBS:
        raise JobsNotNamed(most=MOST_JOBS)
    try:
        return frozenset(map(UUID, names))
    except ValueError:
        raise Http404 from None


def _cursor(request: Request) -> EventCursor | None:
    """Where the caller goes on, by the header or, for who cannot set that, the parameter. Raises BadCursor."""
    text = request.headers.get("Last-Event-ID") or request.query_params.get("lastEventId")
    if not text:
        return None
    try:
        return event_log.resumed(EventCursor.parse(text))
    except ValueError:
        raise BadCursor from None
