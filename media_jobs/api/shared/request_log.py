"""What the log says of requests, and what every line of it says of the request that it belongs to."""

import structlog
from django.http import FileResponse, HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from media_jobs import tracing
from media_jobs.api.shared.addresses import client


class RequestLog(RequestMiddleware):  # type: ignore[misc]  # it has no types
    """Names the address that limits count, too, and leaves files to the server, which sends their descriptors."""

    def prepare(self, request: HttpRequest) -> None:
        """Take part in the caller's trace, by its header; without one, one begins here."""
        super().prepare(request)
        tracing.bind(request.headers.get("traceparent", ""), request.headers.get("tracestate", ""))

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """Whoever sends headers cannot choose what the log says."""
        structlog.contextvars.bind_contextvars(ip=str(client(request) or "") or None)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """To log the end of an answer that streams, the parent puts a generator in place of its content.

        Of a file the server then sees pieces of 4 KB only.
        """
        response["X-Request-ID"] = tracing.request_id()
        file = response.file_to_stream if isinstance(response, FileResponse) else None
        super().handle_response(request, response)
        if isinstance(response, FileResponse):
            response.file_to_stream = file
