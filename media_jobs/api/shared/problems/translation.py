"""What a caller is told of an exception: of ours, of the framework's, of the database's."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions

from media_jobs import errors
from media_jobs.adapters import database
from media_jobs.api.shared.limits.rate_limit_fields import VIOLATED
from media_jobs.api.shared.problems.documents import BROKEN, DATABASE_UNAVAILABLE, FIELDS_TOO_LARGE, Problem
from media_jobs.api.shared.problems.statuses import status_of


def problem_of(exc: Exception) -> Problem | None:  # noqa: PLR0911  (a table)
    """Return what a caller is told of an error; None of one that nobody foresaw."""
    if isinstance(exc, errors.MediaError):
        return _of_ours(exc)
    if isinstance(exc, database.CONNECTION_ERRORS):  # Django opens a new connection for the next request
        return DATABASE_UNAVAILABLE
    if isinstance(exc, RequestDataTooBig):
        return FIELDS_TOO_LARGE
    if isinstance(exc, SuspiciousOperation | UnreadablePostError):
        return _of_ours(errors.RequestTooSlow()) if came_too_slowly(exc) else BROKEN
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
    status = status_of(type(exc))
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
