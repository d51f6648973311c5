"""Tokens as somebody else's service signs them."""

from datetime import timedelta
from typing import Any

import jwt
from django.utils import timezone

SECRET = "a secret of more than thirty-two bytes, for tests"


def token(
    *, secret: Any = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A token that holds for five minutes, unless `claims` say otherwise; what is None is left out."""
    said = {"exp": timezone.now() + timedelta(minutes=5), "sub": "ada", **claims}
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, secret, algorithm, headers=headers)
