"""Counts that all processes share: lines are appended to them, and added up later."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Sum

from media_jobs.models import MetricEntry
from media_jobs.states import Metric

#: So many lines are added up in one transaction.
_BATCH = 2000

#: Of each metric, label and bucket: how many, and the sum of their bytes or milliseconds.
Totals = dict[tuple[str, str, int | None], tuple[int, int]]


def add(metric: Metric, counts: Iterable[tuple[str, int]]) -> None:
    """Count so much more of each label. What triggers count needs no such call."""
    lines = [MetricEntry(metric=metric, label=label, count_more=count, sum_more=0) for label, count in counts]
    MetricEntry.objects.bulk_create(lines)


def totals() -> Totals:
    """Return how all metrics stand, by one statement."""
    sums = MetricEntry.objects.order_by().values_list("metric", "label", "le_ms")
    found = sums.annotate(count=Sum("count_more"), total=Sum("sum_more"))
    return {(metric, label, le_ms): (count, int(total)) for metric, label, le_ms, count, total in found}


def add_up(*, upto: int) -> int:
    """Put one line in the place of many of the same kind; how many fewer there are. Does so much at once, and no more.

    upto: lines with a greater id are left alone. Nothing that adds a line waits for this.
    """
    with transaction.atomic():
        rows = MetricEntry.objects.select_for_update().filter(pk__lte=upto).order_by("pk")
        held = list(rows.values_list("pk", "metric", "label", "le_ms", "count_more", "sum_more")[:_BATCH])
        sums: Totals = {}
        for _, metric, label, le_ms, count, total in held:
            before = sums.get((metric, label, le_ms), (0, 0))
            sums[metric, label, le_ms] = (before[0] + count, before[1] + total)
        if len(sums) == len(held):
            return 0
        MetricEntry.objects.filter(pk__in=[pk for pk, *_ in held]).delete()
        _write(sums)
    return len(held) - len(sums)


def _write(sums: Totals) -> None:
    MetricEntry.objects.bulk_create(
        MetricEntry(metric=metric, label=label, le_ms=le_ms, count_more=count, sum_more=total)
        for (metric, label, le_ms), (count, total) in sums.items()
    )
