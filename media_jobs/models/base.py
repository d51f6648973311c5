"""What the models share."""

from enum import StrEnum
from uuid import UUID

import uuid_utils.compat
from django.db import models


def uuid7() -> UUID:
    """A time-ordered id (RFC 9562): sorting by it is sorting by age."""
    return uuid_utils.compat.uuid7()


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


def only_known(field: str, words: type[StrEnum], name: str) -> models.CheckConstraint:
    """A constraint in the database: `field` holds one of `words`."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": [word.value for word in words]}), name=name)
