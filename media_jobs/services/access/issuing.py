"""Tokens of our own, for accounts of this service: signed with JWT_SECRET, and judged like anybody's."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from media_jobs.errors import BadCredential, TokensNotIssued
from media_jobs.services.access import second_factor

if TYPE_CHECKING:
    from rest_framework_simplejwt.tokens import RefreshToken, Token

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=1)

#: A claim that stops fitting when the account's password changes.
_SESSION = "session"
_ACCOUNT = "account"
_NOBODY = "There is no active account with this name and password."
_NO_CODE = "This account has a second factor: send a code of it, which was not used before, as “code”."
_STALE = "This is no refresh token, it has expired, or its account has changed. Ask for a new one by name and password."


@dataclass(frozen=True, slots=True)
class Issued:
    """A token for calls, and one that gets the next."""

    access: str
    refresh: str

    @property
    def expires_s(self) -> int:
        return int(ACCESS_LIFETIME.total_seconds())


def issue(username: str, password: str, *, request: HttpRequest, code: str = "") -> Issued:
    """Sign tokens for an account. Raises BadCredential, TokensNotIssued.

    request: whose address is counted where the password is wrong. code: of the account's second factor, if it has one.
    """
    _check_configured()
    user = authenticate(request, username=username, password=password)
    if user is None:
        raise BadCredential(_NOBODY)
    if second_factor.is_needed(user) and not second_factor.accepts(user, code):
        user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)
        raise BadCredential(_NO_CODE)
    token = _kind()()
    token["sub"] = f"account:{user.pk}"  # whoever else has JWT_SECRET may count its users in the same way
    token[_ACCOUNT], token[_SESSION] = user.pk, _fingerprint(user)
    return _pair(token)


def refresh(text: str) -> Issued:
    """Sign a new token for calls, unless the account was switched off or changed. Raises as `issue`."""
    _check_configured()
    token = _parsed(_kind(), text, _STALE)
    user = get_user_model().objects.filter(pk=token.get(_ACCOUNT), is_active=True).first()
    if user is None or not hmac.compare_digest(str(token.get(_SESSION)), _fingerprint(user)):
        raise BadCredential(_STALE)
    return _pair(token)


def verify(text: str) -> None:
    """Raise BadCredential unless `text` is a token of ours of either kind, and holds."""
    from rest_framework_simplejwt.tokens import UntypedToken  # noqa: PLC0415

    _check_configured()
    _parsed(_with_our_key(UntypedToken), text, "This is no token of this service, or it has expired.")


def _pair(token: Any) -> Issued:
    access = token.access_token
    del access[_SESSION]
    return Issued(str(access), str(token))


def _parsed(kind: Any, text: str, otherwise: str) -> Any:
    from rest_framework_simplejwt.exceptions import TokenError  # noqa: PLC0415

    try:
        return kind(text)
    except TokenError as error:
        raise BadCredential(otherwise) from error


def _kind() -> "type[RefreshToken]":
    from rest_framework_simplejwt.tokens import AccessToken, RefreshToken  # noqa: PLC0415

    class Access(_with_our_key(AccessToken)):  # type: ignore[misc]
        lifetime = ACCESS_LIFETIME

    class Refresh(_with_our_key(RefreshToken)):  # type: ignore[misc]
        lifetime = REFRESH_LIFETIME
        access_token_class = Access

    return Refresh


def _with_our_key(kind: "type[Token]") -> Any:
    """A kind of token that is signed and judged by our settings. simplejwt reads its own once, when it is imported."""
    from rest_framework_simplejwt.backends import TokenBackend  # noqa: PLC0415

    audience, issuer = settings.JWT_AUDIENCE or None, settings.JWT_ISSUER or None
    backend = TokenBackend("HS256", settings.JWT_SECRET, "", audience, issuer, None, settings.JWT_LEEWAY_S)
    return type(kind.__name__, (kind,), {"get_token_backend": lambda _: backend})


def _fingerprint(user: Any) -> str:
    account: AbstractUser = user
    return account.get_session_auth_hash()[:32]


def _check_configured() -> None:
    if not settings.JWT_SECRET:
        raise TokensNotIssued
