"""Errors as problem documents (RFC 9457), for the APIs that use them."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import csrf, defaults
from rest_framework import exceptions
from rest_framework.response import Response

from media_jobs import errors
from media_jobs.adapters import database
from media_jobs.api.shared import routes
from media_jobs.api.shared.limits.rate_limit_fields import VIOLATED
from media_jobs.api.shared.problem_types import TYPES, uri_of

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

#: The first class of an error that is in here decides.
STATUS: dict[type[errors.MediaError], int] = {
    errors.BadRequest: 400,
    errors.NotHttp: 400,
    errors.CredentialMissing: 401,
    errors.BadCredential: 401,
    errors.NotPermitted: 403,
    errors.TicketInvalid: 403,
    errors.TokensNotIssued: 404,
    errors.RequestTooSlow: 408,
    errors.WrongState: 409,
    errors.FileTooLarge: 413,
    errors.UnsupportedFormat: 415,
    errors.IdempotencyKeyReused: 422,
    errors.QuotaExceeded: 429,
    errors.HeadTooLarge: 431,
    errors.BacklogFull: 503,
    errors.LimitsUnavailable: 503,
    errors.TokenKeysUnavailable: 503,
    errors.TooManyWaiters: 503,
    errors.TooManyUploads: 503,
    errors.Overloaded: 503,
    errors.StorageUnavailable: 503,
    errors.ReadsNotConfigured: 503,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is answered to a request that failed. members: further members of the document."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)

    def document(self, instance: str) -> dict[str, Any]:
        return document(self.status, self.code, self.detail, instance=instance) | dict(self.members)


_BROKEN = Problem(400, "bad_request", "The request breaks off or is not a well-formed form.")
_FIELDS_TOO_LARGE = Problem(
    413, "fields_too_large", "The text fields are too large. Was the file sent without a file name?"
)
_DATABASE_UNAVAILABLE = Problem(
    503, "database_unavailable", "The database does not answer. Please send the request again later.",
    {"Retry-After": "5"},
)  # fmt: skip
#: Of codes that are no error of ours, or of one that also is the answer to what nobody foresaw.
_OTHER_STATUS = {
    "bad_field": {400},
    "not_authenticated": {401},
    "authentication_failed": {401},
    "permission_denied": {403},
    "not_found": {404},
    "method_not_allowed": {405},
    "not_acceptable": {406},
    "fields_too_large": {413},
    "unsupported_media_type": {415},
    "throttled": {429},
    "internal_error": {500},
    "database_unavailable": {503},
}
_INTERNAL_ERROR = Problem(500, "internal_error", "Something went wrong in the service; its log says more.")


def document(status: int, code: str, detail: str, *, instance: str) -> dict[str, Any]:
    known = TYPES.get(code)
    return {
        "type": uri_of(code),
        "title": known.title if known else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
    }


def statuses(code: str) -> list[int]:
    """Return the HTTP statuses that answers with this code have; none where it only ever stands in a job."""
    found = {status for kind in _kinds(errors.MediaError) if kind.code == code for status in _status_of(kind)}
    return sorted(found | _OTHER_STATUS.get(code, set()))


def _kinds(base: type[errors.MediaError]) -> Iterator[type[errors.MediaError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _status_of(kind: type[errors.MediaError]) -> list[int]:
    """One, or none of an error that a request never meets."""
    return [STATUS[base] for base in kind.__mro__ if base in STATUS][:1]


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know is a bug: Django logs it and `server_error` answers."""
    request = context["request"]
    found = problem_of(exc)
    if found is None:
        return None
    if isinstance(exc, database.CONNECTION_ERRORS):
        log.warning("database_unavailable", path=request.path, error=str(exc))
    log.info("request_refused", status=found.status, code=found.code, path=request.path)
    return Response(
        found.document(request.path), status=found.status, headers=dict(found.headers), content_type=CONTENT_TYPE
    )


def problem_of(exc: Exception) -> Problem | None:  # noqa: PLR0911  (a table)
    """Return what a caller is told of an error; None of one that nobody foresaw."""
    if isinstance(exc, errors.MediaError):
        return _of_ours(exc)
    if isinstance(exc, database.CONNECTION_ERRORS):  # Django opens a new connection for the next request
        return _DATABASE_UNAVAILABLE
    if isinstance(exc, RequestDataTooBig):
        return _FIELDS_TOO_LARGE
    if isinstance(exc, SuspiciousOperation | UnreadablePostError):
        return _of_ours(errors.RequestTooSlow()) if came_too_slowly(exc) else _BROKEN
    if isinstance(exc, Http404):
        return Problem(404, "not_found", "There is nothing here, or it is not yours to see.")
    if isinstance(exc, PermissionDenied):
        return Problem(403, "permission_denied", "You may not do this.")
    if isinstance(exc, exceptions.ValidationError):
        return Problem(400, "bad_field", _sentence(exc))
    if isinstance(exc, exceptions.APIException):
        return _of_framework(exc)
    return None


def came_too_slowly(exc: Exception) -> bool:
    """Whether the server gave up on a body because its client took too long."""
    return isinstance(exc, UnreadablePostError) and isinstance(exc.__cause__, TimeoutError)


def _of_ours(exc: errors.MediaError) -> Problem | None:
    status = next(iter(_status_of(type(exc))), None)
    if status is None:
        return None
    return Problem(status, exc.code, str(exc), _headers(exc, status), _members(exc))


def _members(exc: errors.MediaError) -> Mapping[str, Any]:
    """What a type has beside the members of all."""
    return {VIOLATED: exc.policies} if isinstance(exc, errors.QuotaExceeded) else exc.members


def _headers(exc: errors.MediaError, status: int) -> dict[str, str]:
    if isinstance(exc, errors.QuotaExceeded):
        return {"Retry-After": str(exc.wait_s)}
    if isinstance(exc, errors.InsufficientScope):
        return {"WWW-Authenticate": f'Bearer realm="gallimg", error="insufficient_scope", scope="{exc.scope}"'}
    if status == 401:
        wrong = ', error="invalid_token"' if isinstance(exc, errors.BadCredential) else ""
        return {"WWW-Authenticate": f'Bearer realm="gallimg"{wrong}'}
    wait_s = exc.retry_after_s if status in (408, 429, 503) else None
    return {} if wait_s is None else {"Retry-After": str(wait_s)}


def _of_framework(exc: exceptions.APIException) -> Problem:
    code, detail = str(exc.default_code), str(exc.detail)
    if isinstance(exc, exceptions.MethodNotAllowed):
        detail = "This address does not take this method; the header Allow lists those that it takes."
    if isinstance(exc, exceptions.NotAcceptable):
        detail = "Answers are application/json; the header Accept asks for something else."
    if isinstance(exc, exceptions.ParseError):
        code = "bad_request"
    headers = {}
    if wait_s := getattr(exc, "wait", None):  # of Throttled
        headers["Retry-After"] = f"{wait_s:.0f}"
    if challenge := getattr(exc, "auth_header", None):  # of a 401
        headers["WWW-Authenticate"] = challenge
    return Problem(exc.status_code, code, detail, headers)


def _sentence(exc: exceptions.ValidationError) -> str:
    return " ".join(_sentences(exc.detail, ""))


#: What DRF calls an error that is of no single field.
_WHOLE = "non_field_errors"


def _sentences(detail: Any, path: str) -> list[str]:
    """One for each field, by its path: those of an object within have a dot in it."""
    if isinstance(detail, Mapping):
        below = {name: f"{path}.{name}" if path else str(name) for name in detail} | {_WHOLE: path}
        return [line for name, part in detail.items() for line in _sentences(part, below[name])]
    if isinstance(detail, list) and any(isinstance(part, Mapping | list) for part in detail):
        return [line for part in detail for line in _sentences(part, path)]
    text = " ".join(map(str, detail)) if isinstance(detail, list) else str(detail)
    return [f"{path}: {text}" if path else text]


# --- errors outside of views ----------------------------------------------------------------------


def answer(request: HttpRequest, exc: errors.MediaError) -> JsonResponse:
    """The problem document of `exc`, met before any view; one of those in STATUS."""
    found = _of_ours(exc) or _INTERNAL_ERROR
    log.info("request_refused", status=found.status, code=found.code, path=request.path)
    return _answer(request, found)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`: what Django refuses before a view sees it."""
    if isinstance(exception, DisallowedHost):
        return _wrong_host(request)
    if _is_browser(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, _FIELDS_TOO_LARGE)
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
    return _answer(request, _DATABASE_UNAVAILABLE if lost else _INTERNAL_ERROR)


def _is_browser(request: HttpRequest) -> bool:
    """Whether a person looks at it: below /v1 and /api all are programs, whatever they accept."""
    return "text/html" in request.headers.get("Accept", "") and not routes.is_of_api(request.path_info)


def _answer(request: HttpRequest, problem: Problem) -> JsonResponse:
    return JsonResponse(
        problem.document(request.path), status=problem.status, content_type=CONTENT_TYPE, headers=dict(problem.headers)
    )
