"""What every line of the log says of the request that it belongs to."""

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

from media_jobs.api.shared.addresses import client


class RequestLog(RequestMiddleware):  # type: ignore[misc]  # it has no types
    """Names the address that limits count, too: whoever sends headers cannot choose what the log says."""

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(ip=str(client(request) or "") or None)
