"""Search in the lists: ids and checksums are found by their indexes."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from media_jobs.models import Original

#: Up to so many matches are kept as a list; where there are more, a page is found quickly anyway.
FEW = 2_000

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}(-[0-9a-f-]{0,22})?|[0-9a-f]{32}")
_SUM = re.compile(r"[0-9a-f]{16,64}")


def by_number(term: str, ids: tuple[str, ...], sums: tuple[str, ...]) -> Q | None:
    """Match rows in which one of the fields `ids` begins with the id `term`, or one of `sums` with the SHA-256 `term`.

    Return None where the term looks like neither: of an id it takes the first two groups, of a SHA-256 16 digits.
    """
    term = term.strip().lower()
    found = Q()
    if _ID.fullmatch(term) and (between := _range(term)):
        for field in ids:
            found |= Q(**{f"{field}__gte": between[0], f"{field}__lte": between[1]})
    if _SUM.fullmatch(term):
        for field in sums:
            found |= Q(**{f"{field}__startswith": term})
    return found or None


def by_name(term: str, path: str) -> Q:
    """Match rows whose original at `path` has all the words of `term` in its file name."""
    words = term.split()
    ids = keys_if_few(Original.objects.filter(*(Q(filename__icontains=word) for word in words)))
    if ids is not None:  # then an index leads to the rows
        return Q(**{f"{path}__in": ids})
    return Q(*(Q(**{f"{path}__filename__icontains": word}) for word in words))


def by_word(term: str, fields: Sequence[str]) -> Q:
    """Match rows in which one of `fields` is `term`."""
    found = Q(pk__in=[])
    for field in fields:
        found |= Q(**{field: term.strip()})
    return found


def keys_if_few(rows: QuerySet[Any]) -> list[Any] | None:
    """Return the keys of `rows`, read once instead of by each later query, or None where there are more than FEW."""
    keys = list(rows.order_by().values_list("pk", flat=True)[: FEW + 1])
    return keys if len(keys) <= FEW else None


def _range(beginning: str) -> tuple[UUID, UUID] | None:
    digits = beginning.replace("-", "")
    return (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))) if len(digits) <= 32 else None
