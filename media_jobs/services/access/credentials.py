"""From what a program sends to the caller that it is."""

import re

from media_jobs import callers
from media_jobs.adapters import tokens
from media_jobs.callers import UNLESS_SAID, Caller, Scope
from media_jobs.errors import BadUserId, MayNotActForUsers
from media_jobs.services.access import api_keys

#: An owner's id has room for 255 characters.
_USER_ID = re.compile(r"[!-~]{1,200}")


def caller_of(credential: str, *, user_id: str | None = None) -> Caller:
    """Return who sends `credential`, an API key or a token, and for which of its users, if for one.

    Raises BadCredential, MayNotActForUsers, BadUserId, TokenKeysUnavailable.
    """
    if credential.startswith(api_keys.MARK):
        return _of_key(credential, user_id)
    claims = tokens.judge(credential)
    if user_id is not None:
        raise MayNotActForUsers("A token says by itself whose it is.")
    return callers.token(claims.issuer, claims.subject, _scopes(claims.scope))


def _of_key(credential: str, user_id: str | None) -> Caller:
    row = api_keys.find(credential)
    if user_id is None:
        return api_keys.caller_of(row)
    if not row.acts_for_users:
        raise MayNotActForUsers("Yours may not.")
    if not _USER_ID.fullmatch(user_id):
        raise BadUserId
    return api_keys.caller_of(row, user_id=user_id)


def _scopes(words: frozenset[str]) -> frozenset[Scope]:
    """Our scopes among the words of a token. One that names none of them was made for something else as well."""
    named = frozenset(scope for scope in Scope if scope in words or f"gallimg:{scope}" in words)
    return named or UNLESS_SAID
