"""Where errors of requests are answered: in views, in middleware, and where there is no such address.

Below the addresses of APIs each is answered with a problem document, or in the envelope of the Instrlabs API. Elsewhere
browsers get pages.
"""

import sys
from dataclasses import replace
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import csrf, defaults
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from media_jobs import errors
from media_jobs.adapters import database
from media_jobs.api.shared import routes
from media_jobs.api.shared.problems.documents import (
    DATABASE_UNAVAILABLE,
    FIELDS_TOO_LARGE,
    INTERNAL_ERROR,
    Problem,
)
from media_jobs.api.shared.problems.translation import problem_of

log = structlog.get_logger(__name__)


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know is a bug: Django logs it and `server_error` answers."""
    request = context["request"]
    found = problem_of(exc)
    if found is None:
        return None
    if isinstance(exc, UnsupportedMediaType):
        found = replace(found, detail=getattr(context["view"], "takes", "") or _taken_by(request))
    if isinstance(exc, database.CONNECTION_ERRORS):
        log.warning("database_unavailable", path=request.path, error=str(exc))
    log.info("request_refused", status=found.status, code=found.code, path=request.path)
    body, content_type = found.body(request.path)
    return Response(body, found.status, headers=found.headers, content_type=content_type)


def _taken_by(request: Request) -> str:
    types = " or ".join(parser.media_type for parser in request.parsers or ())
    return f"This call takes {types}; the header Content-Type says something else."


def answer(request: HttpRequest, exc: errors.MediaError) -> JsonResponse:
    """The problem document of `exc`, met before any view; one that has a status."""
    found = problem_of(exc) or INTERNAL_ERROR
    log.info("request_refused", status=found.status, code=found.code, path=request.path)
    return _answer(request, found)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`: what Django refuses before a view sees it."""
    if isinstance(exception, DisallowedHost):
        return _wrong_host(request)
    if _is_browser(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, FIELDS_TOO_LARGE)
    return _answer(request, Problem(400, "bad_request", "The request is malformed."))


def _wrong_host(request: HttpRequest) -> HttpResponse:
    """Named in plain text to browsers, too: whoever sets a service up sees it in one."""
    error = errors.WrongHost(host=repr(request.META.get("HTTP_HOST", "")[:100]))
    if _is_browser(request):
        return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")
    return answer(request, error)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler403`."""
    if _is_browser(request):
        return defaults.permission_denied(request, exception)
    return _answer(request, Problem(403, "permission_denied", "You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """`CSRF_FAILURE_VIEW`."""
    if _is_browser(request):
        return csrf.csrf_failure(request, reason)
    return _answer(request, Problem(403, "permission_denied", f"The CSRF token is missing or wrong ({reason})."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`: a page for browsers, a problem document with a hint for programs."""
    if _is_browser(request):
        return defaults.page_not_found(request, exception)
    hint = routes.hint(request.path_info)
    return _answer(request, Problem(404, "not_found", f"There is no such address. {hint}"))


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: nothing of the error itself, which is in the log."""
    if _is_browser(request):
        return defaults.server_error(request)
    lost = isinstance(sys.exc_info()[1], database.CONNECTION_ERRORS)  # within a middleware
    return _answer(request, DATABASE_UNAVAILABLE if lost else INTERNAL_ERROR)


def _is_browser(request: HttpRequest) -> bool:
    """Whether a person looks at it: below /v1 and /api all are programs, whatever they accept."""
    return "text/html" in request.headers.get("Accept", "") and not routes.is_of_api(request.path_info)


def _answer(request: HttpRequest, problem: Problem) -> JsonResponse:
    body, content_type = problem.body(request.path)
    return JsonResponse(body, status=problem.status, content_type=content_type, headers=problem.headers)
