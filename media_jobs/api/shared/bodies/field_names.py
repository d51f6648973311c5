"""Fields by names that a call does not know."""

import difflib
from collections.abc import Collection, Iterable

from media_jobs.errors import UnknownField

#: A name is repeated in the answer up to here.
_SHOWN = 64


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
