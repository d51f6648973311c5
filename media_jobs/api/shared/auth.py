"""Who asks: every request is resolved to a `Caller` here and nowhere else."""

from typing import cast

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.datastructures import MultiValueDict
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from media_jobs.api.shared.addresses import is_local
from media_jobs.api.shared.limits import throttling
from media_jobs.callers import ANONYMOUS, JUDGE_SHADOWS, READ_ORIGINALS, VIEW_IMAGES, VIEW_JOBS, Caller, staff
from media_jobs.errors import BadCredential, CredentialMissing, MayNotActForUsers
from media_jobs.services.access import credentials

USER_ID = "X-User-ID"
API_KEY = "X-API-Key"
_PERMISSIONS = (VIEW_JOBS, VIEW_IMAGES, READ_ORIGINALS, JUDGE_SHADOWS)


class CallerAuthentication(BaseAuthentication):
    """By `Authorization: Bearer` with a token or an API key, else staff by their admin session, else anonymous.

    Anonymous callers are let in from this machine alone, and only where ALLOW_ANONYMOUS has its effect.
    """

    def authenticate(self, request: Request) -> tuple[Caller, AbstractUser | None]:
        """The caller (`request.user`) and the account, where there is one (`request.auth`).

        Of the body nothing has been read yet.
        """
        raw = request._request
        credential, user_id = _credential(raw), raw.headers.get(USER_ID)
        if credential is not None:
            try:
                return credentials.caller_of(credential, user_id=user_id), None
            except BadCredential:
                throttling.count_bad_credential(raw)
                raise
        if user_id is not None:
            raise MayNotActForUsers("There is none.")
        user = getattr(raw, "user", None)
        if user is not None and user.is_active and user.is_staff:
            _check_csrf(raw)
            return staff(user.pk, filter(user.has_perm, _PERMISSIONS)), user
        if settings.ALLOW_ANONYMOUS and is_local(raw):
            return ANONYMOUS, None
        raise CredentialMissing

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="gallimg"'


def caller_of(request: Request) -> Caller:
    """The resolved caller of a request that has passed authentication."""
    caller = request.user
    assert isinstance(caller, Caller)  # noqa: S101  (what CallerAuthentication returned)
    return caller


def holds(request: Request, permission: str) -> bool:
    """Whether the caller has an account with the permission, such as `media_jobs.cancel_job`."""
    account = cast("AbstractUser | None", request.auth)
    return account is not None and account.has_perm(permission)


def _credential(request: HttpRequest) -> str | None:
    """The token or key that was sent. Raises BadCredential for what is neither, and for two at once."""
    header, key = request.headers.get("Authorization"), request.headers.get(API_KEY)
    if header is None:
        return key
    if key is not None:
        raise BadCredential(f"Send one credential: either Authorization or {API_KEY}.")
    scheme, _, credential = header.strip().partition(" ")
    if scheme.lower() not in ("bearer", "api-key") or not credential.strip():
        raise BadCredential("Authorization takes “Bearer” and a token or an API key after it.")
    return credential.strip()


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
