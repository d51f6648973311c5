"""What each log line of a request says of it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

log = structlog.get_logger(__name__)


class RequestContext:
    """Middleware that binds `request_id`, `ip` and, for who is signed in, `user_id` to the lines of a request.

    A session is looked up only for who sends its cookie. Refusals and failures Django logs itself; every request's own
    line is for LOG_LEVEL=debug.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with structlog.contextvars.bound_contextvars(**_facts(request)):
            response = self.get_response(request)
            log.debug(
                "request_finished", request=f"{request.method} {request.get_full_path()}", code=response.status_code
            )
            return response


def _facts(request: HttpRequest) -> dict[str, Any]:
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").partition(",")[0].strip()
    facts: dict[str, Any] = {"request_id": str(uuid4()), "ip": forwarded or request.META.get("REMOTE_ADDR")}
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        facts["user_id"] = request.user.pk
    return facts
