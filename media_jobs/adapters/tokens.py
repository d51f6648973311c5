"""Signed tokens (JWT), judged: by our own secret (HS256), or by the keys that an issuer publishes (JWKS).

PyJWT is imported when the first token is judged: where none is taken, no process pays for its cryptography.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings

from media_jobs.errors import BadCredential, CredentialExpired, TokenKeysUnavailable

if TYPE_CHECKING:
    from jwt import PyJWKClient

log = structlog.get_logger(__name__)

_RSA = ("RS256", "RS384", "RS512")
_BY_PUBLISHED_KEY = (*_RSA, "ES256", "ES384", "ES512", "EdDSA")
#: Published keys are fetched anew after so long, and at once when a token names one that is not among them.
_KEYS_KEPT_S = 300.0
#: Since anybody can make up names of keys, so long apart.
_ROTATION_S = 1.0
#: While their issuer does not answer, keys that were good are used for so long, and it is asked so seldom.
_STALE_KEYS_S = 3600.0
_ASK_AGAIN_S = 10.0
_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says. scope: the words of its claim `scope`, whoever they are meant for."""

    issuer: str
    subject: str
    scope: frozenset[str]


def judge(token: str) -> Claims:
    """Return what the token says, if it holds here and now. Raises BadCredential, TokenKeysUnavailable."""
    import jwt  # noqa: PLC0415

    try:
        algorithm = str(jwt.get_unverified_header(token).get("alg"))
        key, allowed = _key(token, algorithm)
        claims = jwt.decode(
            token,
            key,
            algorithms=allowed,
            audience=settings.JWT_AUDIENCE or None,
            issuer=settings.JWT_ISSUER or None,
            leeway=settings.JWT_LEEWAY_S,
            options={"require": ["exp", "sub"], "verify_aud": bool(settings.JWT_AUDIENCE)},
        )
    except jwt.ExpiredSignatureError as error:
        raise CredentialExpired("The token") from error
    except jwt.PyJWTError as error:
        raise BadCredential(_sentence(error)) from error
    return _claims(claims)


def _key(token: str, algorithm: str) -> tuple[Any, list[str]]:
    """The key that may have signed the token, and the algorithms that go with it: the token does not choose freely."""
    import jwt  # noqa: PLC0415

    if algorithm == "HS256" and settings.JWT_SECRET:
        return settings.JWT_SECRET, ["HS256"]
    if algorithm in _BY_PUBLISHED_KEY and settings.JWT_JWKS_URL:
        try:
            found = published_keys(settings.JWT_JWKS_URL).get_signing_key_from_jwt(token)
        except jwt.PyJWKClientConnectionError as error:
            raise TokenKeysUnavailable from error
        # PyJWT takes an RSA key that does not say its `alg` for one of RS256 alone.
        rsa = found.key_type == "RSA" and found.algorithm_name == "RS256"
        return (found.key, list(_RSA)) if rsa else (found, list(_BY_PUBLISHED_KEY))
    takes = ["HS256"] * bool(settings.JWT_SECRET) + ["RS, ES and EdDSA by published key"] * bool(settings.JWT_JWKS_URL)
    raise BadCredential(
        f"The token is signed by a way that is not taken here; taken: {' and '.join(takes) or 'no tokens at all'}."
    )


def _claims(claims: dict[str, Any]) -> Claims:
    issuer, subject, scope = claims.get("iss", ""), claims["sub"], claims.get("scope", "")
    if claims.get("token_type") == "refresh":
        raise BadCredential("This is a refresh token; it gets a new access token and nothing else.")
    if not isinstance(issuer, str) or "|" in issuer or issuer.startswith("key:"):
        raise BadCredential("The token's issuer (iss) is not a name that can be told from others'.")
    if not subject or not subject.isprintable() or len(issuer) + len(subject) >= 255:
        raise BadCredential(
            "The token's subject (sub) has to be printable text of 1 to 254 characters with its issuer."
        )
    words = scope.split() if isinstance(scope, str) else scope if isinstance(scope, list) else []
    return Claims(issuer, subject, frozenset(map(str, words)))


def _sentence(error: Exception) -> str:
    """What is wrong, in our words; the library's might change, and might repeat the token."""
    import jwt  # noqa: PLC0415
    from jwt.exceptions import InvalidSubjectError  # noqa: PLC0415

    table: tuple[tuple[type[Exception], str], ...] = (
        (jwt.InvalidSignatureError, "The token's signature is not right."),
        (jwt.InvalidAlgorithmError, "The token is signed by another way than its key is for."),
        (jwt.ImmatureSignatureError, "The token is not valid yet."),
        (jwt.InvalidIssuerError, "The token is of another issuer (iss)."),
        (jwt.InvalidAudienceError, "The token is meant for another audience (aud)."),
        (InvalidSubjectError, "The token's subject (sub) has to be a string."),
        (jwt.MissingRequiredClaimError, "The token lacks a claim; it needs exp and sub, and iss and aud where set."),
        (jwt.PyJWKClientError, "The token names no key (kid) that its issuer publishes."),
    )
    return next((said for kind, said in table if isinstance(error, kind)), "This is not a well-formed token.")


@cache
def published_keys(url: str) -> "PyJWKClient":
    """The keys at `url`, kept for all requests of the process."""
    import jwt  # noqa: PLC0415

    class Keys(jwt.PyJWKClient):
        """An issuer that is away costs nobody more than one time limit, and no caller whose key was known."""

        _last_good: Any = None
        _good_at = _asked_at = float("-inf")

        def fetch_data(self) -> Any:
            now = time.monotonic()
            if now - self._asked_at < _ASK_AGAIN_S:
                return self._stale(jwt.PyJWKClientConnectionError("asked a moment ago"))
            try:
                found = super().fetch_data()
            except (jwt.PyJWKClientError, jwt.PyJWKSetError, ValueError) as error:
                self._asked_at = time.monotonic()
                log.warning("token_keys_unavailable", url=self.uri, error=str(error))
                return self._stale(error)
            self._last_good, self._good_at = found, now
            return found

        def _stale(self, error: Exception) -> Any:
            if time.monotonic() - self._good_at > _STALE_KEYS_S:
                raise jwt.PyJWKClientConnectionError(str(error)) from error
            return self._last_good

    return Keys(url, lifespan=_KEYS_KEPT_S, timeout=_TIMEOUT_S, cooldown_duration=_ROTATION_S)
