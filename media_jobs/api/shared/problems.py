"""Errors as problem documents (RFC 9457), for the APIs that use them."""

import sys
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from media_jobs import errors
from media_jobs.adapters import database
from media_jobs.api.shared.rate_limit_fields import QUOTA_EXCEEDED, REDUCED_CAPACITY, VIOLATED

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

_DATABASE_UNAVAILABLE = (
    503,
    "database_unavailable",
    "The database does not answer. Please send the request again later.",
    {"Retry-After": "5"},
)

#: The first class of an error that is in here decides.
STATUS: dict[type[errors.MediaError], int] = {
    errors.BadRequest: 400,
    errors.CredentialMissing: 401,
    errors.BadCredential: 401,
    errors.NotPermitted: 403,
    errors.TokensNotIssued: 404,
    errors.WrongState: 409,
    errors.FileTooLarge: 413,
    errors.UnsupportedFormat: 415,
    errors.IdempotencyKeyReused: 422,
    errors.QuotaExceeded: 429,
    errors.BacklogFull: 503,
    errors.LimitsUnavailable: 503,
    errors.TokenKeysUnavailable: 503,
    errors.StorageUnavailable: 503,
    errors.ReadsNotConfigured: 503,
}

#: Type and title of problems that are registered with IANA, by our code.
_REGISTERED = {errors.QuotaExceeded.code: QUOTA_EXCEEDED, errors.BacklogFull.code: REDUCED_CAPACITY}


def document(status: int, code: str, detail: str, *, instance: str) -> dict[str, Any]:
    kind, title = _REGISTERED.get(code, (f"urn:gallimg:problem:{code}", HTTPStatus(status).phrase))
    return {
        "type": kind,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
    }


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know is a bug: Django logs it and `server_error` answers."""
    request = context["request"]
    found = _translate(exc)
    if found is None:
        return None
    status, code, detail, headers = found
    body = document(status, code, detail, instance=request.path) | _members(exc)
    if isinstance(exc, database.CONNECTION_ERRORS):
        log.warning("database_unavailable", path=request.path, error=str(exc))
    log.info("request_refused", status=status, code=code, path=request.path)
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def _translate(exc: Exception) -> tuple[int, str, str, dict[str, str]] | None:  # noqa: PLR0911  (a table)
    if isinstance(exc, errors.MediaError):
        status = next((STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS), None)
        if status is None:
            return None
        return status, exc.code, str(exc), _headers(exc, status)
    if isinstance(exc, database.CONNECTION_ERRORS):  # Django opens a new connection for the next request
        return _DATABASE_UNAVAILABLE
    if isinstance(exc, RequestDataTooBig):
        return 413, "fields_too_large", "The text fields are too large. Was the file sent without a file name?", {}
    if isinstance(exc, SuspiciousOperation | UnreadablePostError):
        return 400, "bad_request", "The request breaks off or is not a well-formed form.", {}
    if isinstance(exc, Http404):
        return 404, "not_found", "There is nothing here, or it is not yours to see.", {}
    if isinstance(exc, PermissionDenied):
        return 403, "permission_denied", "You may not do this.", {}
    if isinstance(exc, exceptions.ValidationError):
        return 400, "bad_field", _sentence(exc), {}
    if isinstance(exc, exceptions.APIException):
        wait_s = getattr(exc, "wait", None)  # of Throttled
        headers = {"Retry-After": f"{wait_s:.0f}"} if wait_s else {}
        return exc.status_code, str(exc.default_code), str(exc.detail), headers
    return None


def _members(exc: Exception) -> dict[str, Any]:
    """What a registered type has beside the members of all."""
    return {VIOLATED: exc.policies} if isinstance(exc, errors.QuotaExceeded) else {}


def _headers(exc: errors.MediaError, status: int) -> dict[str, str]:
    if isinstance(exc, errors.QuotaExceeded):
        return {"Retry-After": str(exc.wait_s)}
    if isinstance(exc, errors.InsufficientScope):
        return {"WWW-Authenticate": f'Bearer realm="gallimg", error="insufficient_scope", scope="{exc.scope}"'}
    if status == 401:
        wrong = ', error="invalid_token"' if isinstance(exc, errors.BadCredential) else ""
        return {"WWW-Authenticate": f'Bearer realm="gallimg"{wrong}'}
    return {"Retry-After": str(exc.retry_after_s)} if status == 503 and exc.retry_after_s is not None else {}


def answer(request: HttpRequest, exc: errors.MediaError) -> JsonResponse:
    """The problem document of `exc`, met before any view; one of those in STATUS."""
    status = next(STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS)
    log.info("request_refused", status=status, code=exc.code, path=request.path)
    return _problem(request, status, exc.code, str(exc), _headers(exc, status))


def _sentence(exc: exceptions.ValidationError) -> str:
    detail = exc.detail
    if not isinstance(detail, dict):
        return " ".join(str(line) for line in detail)
    return " ".join(f"{field}: {' '.join(map(str, lines))}" for field, lines in detail.items())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`: what Django refuses before a view sees it, such as a Host that is not in ALLOWED_HOSTS."""
    if _is_browser(request):
        return defaults.bad_request(request, exception)
    return _problem(request, 400, "bad_request", "The request is malformed, or meant for another host.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`: a page for browsers, a problem document for programs."""
    if _is_browser(request):
        return defaults.page_not_found(request, exception)
    return _problem(request, 404, "not_found", "There is no such address, or its id is not an id.")


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: nothing of the error itself, which is in the log."""
    if _is_browser(request):
        return defaults.server_error(request)
    if isinstance(sys.exc_info()[1], database.CONNECTION_ERRORS):  # within a middleware
        return _problem(request, *_DATABASE_UNAVAILABLE)
    return _problem(request, 500, "internal_error", "Something went wrong in the service; its log says more.")


def _is_browser(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/v1/")


def _problem(
    request: HttpRequest, status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> JsonResponse:
    body = document(status, code, detail, instance=request.path)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)
