"""Limits on how often a caller may ask. DRF's own classes count in a cache, and lose counts under load."""

from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from media_jobs.api.shared.addresses import client_address
from media_jobs.api.shared.limits import rate_limit_fields
from media_jobs.api.shared.permissions import scope_of
from media_jobs.callers import Caller, Scope
from media_jobs.services.access import rate_limits


class CallerThrottle(BaseThrottle):
    """Of every view with a caller: by caller and by address, uploads apart from the rest."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Raises QuotaExceeded, LimitsUnavailable."""
        if isinstance(request.user, Caller):
            _count(request, upload=scope_of(request.method or "", view) in (Scope.UPLOAD, Scope.SHADOW))
        return True


class SignInThrottle(BaseThrottle):
    """Of views that take a name and a password: by address."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Raises QuotaExceeded, LimitsUnavailable."""
        _check(request._request, rate_limits.count_sign_in(client_address(request._request)))
        return True


def count_further_upload(request: Request) -> None:
    """Count one more upload of a request that was counted as one. Raises QuotaExceeded, LimitsUnavailable."""
    _count(request, upload=True)


def count_bad_credential(request: HttpRequest) -> None:
    """Count a request that gets no further. Raises QuotaExceeded."""
    _check(request, rate_limits.count_address(client_address(request)))


def _count(request: Request, *, upload: bool) -> None:
    raw, caller = request._request, cast(Caller, request.user)
    _check(raw, rate_limits.count(caller, client_address(raw), upload=upload))


def _check(request: HttpRequest, states: list[rate_limits.State]) -> None:
    rate_limit_fields.remember(request, states)
    rate_limits.check(states)
