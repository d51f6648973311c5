"""django-structlog's lines about requests."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware


class RequestLog(RequestMiddleware):  # type: ignore[misc]
    """Leaves files to the server, which sends them from their descriptors.

    To log the end of an answer that streams, the parent puts a generator in place of its content; of a file the server
    then sees pieces of 4 KB only.
    """

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        file = response.file_to_stream if isinstance(response, FileResponse) else None
        super().handle_response(request, response)
        if isinstance(response, FileResponse):
            response.file_to_stream = file
