"""What was sent, by the names of its fields: one that a call does not know is not passed over."""

import difflib
import functools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rest_framework import serializers

from media_jobs.errors import UnknownField

#: A name is repeated in the answer up to here.
_SHOWN = 64


def checked(kind: type[serializers.Serializer[None]], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields of `kind` make of what was sent. Raises ValidationError, UnknownField."""
    serializer = made_once(kind)
    check_known(sent, serializer.fields.keys())
    found: dict[str, Any] = serializer.run_validation(dict(sent))
    return found


@functools.cache
def made_once(kind: type[serializers.Serializer[None]]) -> serializers.Serializer[None]:
    """A serializer without data, which keeps no state: DRF copies all of its fields each time that one is made."""
    return kind()


def check_known(sent: Iterable[str], known: Collection[str]) -> None:
    """Raise UnknownField for the first name in `sent` that is not in `known`; it names the nearest that is."""
    for name in sent:
        if name not in known:
            raise UnknownField(name[:_SHOWN], nearest=nearest(name, known), known=sorted(known))


def nearest(name: str, known: Collection[str]) -> str:
    """Return which of `known` is most like `name`, whatever its case."""

    def alike(other: str) -> float:
        return difflib.SequenceMatcher(None, name[:_SHOWN].lower(), other.lower()).ratio()

    return max(sorted(known), key=alike)
