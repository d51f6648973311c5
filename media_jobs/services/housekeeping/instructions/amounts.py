"""Adds up the ledger of what is stored, so that readers have little to sum."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Count, Max

from media_jobs.models import StoredEntry
from media_jobs.services.housekeeping.task import Finding, TaskRun

#: So many lines of one owner and kind are left to be summed by readers.
_FEW = 20


def find(_: TaskRun) -> Iterator[list[Finding]]:
    """Find owners and kinds with many lines."""
    many = StoredEntry.objects.order_by().values_list("owner", "kind").annotate(lines=Count("pk"), last=Max("pk"))
    found = [
        Finding(f"{lines:,} lines of {owner}, {kind}", (owner, kind, last))
        for owner, kind, lines, last in many.filter(lines__gt=_FEW)
    ]
    if found:
        yield found


def repair(_: TaskRun, findings: list[Finding]) -> int:
    """Put one line in the place of many. Lines that are written meanwhile stay beside it."""
    return sum(_add_up(*finding.subject) for finding in findings)


def _add_up(owner: str, kind: str, last: int) -> int:
    with transaction.atomic():
        rows = StoredEntry.objects.filter(owner=owner, kind=kind, pk__lte=last)
        held = list(rows.select_for_update().order_by("pk").values_list("pk", "objects_more", "bytes_more"))
        if len(held) < 2:
            return 0
        StoredEntry.objects.filter(pk__in=[pk for pk, *_ in held]).delete()
        objects, size = sum(row[1] for row in held), sum(row[2] for row in held)
        if objects or size:
            StoredEntry.objects.create(owner=owner, kind=kind, objects_more=objects, bytes_more=size)
    return 1
