"""Who asks: every request is resolved to a `Caller` here and nowhere else."""

from typing import cast

from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.datastructures import MultiValueDict
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from media_jobs.callers import ANONYMOUS, Caller, staff


class CallerAuthentication(BaseAuthentication):
    """Staff by their admin session, everybody else anonymous.

    That strangers may come at all is decided at the start: see ALLOW_ANONYMOUS.
    """

    def authenticate(self, request: Request) -> tuple[Caller, AbstractUser | None]:
        """The caller (`request.user`) and the account, where there is one (`request.auth`)."""
        user = getattr(request._request, "user", None)
        if user is None or not (user.is_active and user.is_staff):
            return ANONYMOUS, None
        _check_csrf(request._request)
        return staff(user.pk), user


def caller_of(request: Request) -> Caller:
    """The resolved caller of a request that has passed authentication."""
    caller = request.user
    assert isinstance(caller, Caller)  # noqa: S101  (what CallerAuthentication returned)
    return caller


def holds(request: Request, permission: str) -> bool:
    """Whether the caller has an account with the permission, such as `media_jobs.cancel_job`."""
    account = cast("AbstractUser | None", request.auth)
    return account is not None and account.has_perm(permission)


class _HeaderCsrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def _check_csrf(request: HttpRequest) -> None:
    """Django's check by header only: a look into the form would swallow the upload before the view saw it."""
    check = _HeaderCsrf(lambda _: None)  # type: ignore[arg-type]
    check.process_request(request)
    request._post, request._files = QueryDict(), MultiValueDict()  # type: ignore[attr-defined]
    try:
        reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    finally:
        del request._post, request._files  # type: ignore[attr-defined]
    if reason:
        raise PermissionDenied(f"Signed in by cookie, but without a CSRF token in the header X-CSRFToken ({reason}).")
