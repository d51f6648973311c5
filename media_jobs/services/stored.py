"""How much is stored, by kind and owner: the sum of a ledger that triggers write."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Sum

from media_jobs.models import StoredEntry
from media_jobs.states import StoredKind


@dataclass(frozen=True, slots=True)
class Amount:
    kind: StoredKind
    objects: int
    bytes: int
    owner: str = ""


def by_kind(owner: str | None = None) -> list[Amount]:
    """Return what is stored of each kind, of one owner or of all; zeros, too."""
    rows = StoredEntry.objects.all() if owner is None else StoredEntry.objects.filter(owner=owner)
    found = {kind: (objects, size) for kind, objects, size in _summed(rows.values_list("kind"))}
    return [Amount(kind, *found.get(kind, (0, 0)), owner=owner or "") for kind in StoredKind]


def largest_owners(*, at_most: int) -> list[Amount]:
    """Return what is stored of whom, by kind, of the owners who have most bytes."""
    totals = StoredEntry.objects.order_by().values_list("owner").annotate(size=Sum("bytes_more")).order_by("-size")
    largest = [owner for owner, _ in totals[:at_most]]
    rows = StoredEntry.objects.filter(owner__in=largest)
    found = [
        Amount(StoredKind(kind), objects, size, owner)
        for owner, kind, objects, size in _summed(rows.values_list("owner", "kind"))
    ]
    return sorted(found, key=lambda amount: (largest.index(amount.owner), amount.kind))


def _summed(rows: "QuerySet[StoredEntry, Any]") -> "QuerySet[StoredEntry, Any]":
    sums = rows.order_by().annotate(count=Sum("objects_more"), size=Sum("bytes_more"))
    return sums.filter(~Q(count=0) | ~Q(size=0))
