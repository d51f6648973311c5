"""Signed links and forms of the file storage: what their bearer may read or store, and until when."""

import time
from dataclasses import asdict, dataclass
from typing import Any, cast

from django.core import signing

_LINK_SALT = "gallimg.storage.link"
_FORM_SALT = "gallimg.storage.form"


class BadLinkError(Exception):
    """A link or form that is forged, for another object, or too old."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed link allows: to read this object, under this name and type, until `expires_at` (Unix time)."""

    key: str
    filename: str
    content_type: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class FormGrant:
    """What a signed form allows: to store this object, of this type and size, until `expires_at` (Unix time).

    content_type: of the form's field of that name, as in S3; that of the file's part does not count.
    """

    key: str
    content_type: str
    least_bytes: int
    most_bytes: int
    expires_at: float


def link_token(grant: Grant) -> str:
    return signing.dumps(asdict(grant), salt=_LINK_SALT)


def form_token(grant: FormGrant) -> str:
    return signing.dumps(asdict(grant), salt=_FORM_SALT)


def grant(token: str, key: str) -> Grant:
    """Return what the link's `token` allows for `key`. Raises BadLinkError."""
    found = Grant(**_opened(token, _LINK_SALT, "link"))
    _check(found, key, "link")
    return found


def form_grant(token: str, key: str) -> FormGrant:
    """Return what the form's `token` allows for `key`. Raises BadLinkError."""
    found = FormGrant(**_opened(token, _FORM_SALT, "form"))
    _check(found, key, "form")
    return found


def _opened(token: str, salt: str, what: str) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", signing.loads(token, salt=salt))
    except signing.BadSignature as error:
        raise BadLinkError(f"the {what} is not valid") from error


def _check(found: Grant | FormGrant, key: str, what: str) -> None:
    if found.key != key:
        raise BadLinkError(f"the {what} is for another object")
    if found.expires_at <= time.time():
        raise BadLinkError(f"the {what} has expired")
