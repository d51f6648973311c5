"""The log of webhooks: what has ended is kept for a while, and what a disabled one never took, too."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q, QuerySet

from media_jobs.models import WebhookDelivery
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import DeliveryState

KEPT = timedelta(days=30)


def find(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_old().only("id", "type", "message_id", "created_at"), size=1000):
        yield [Finding(f"{row} of {row.created_at:%Y-%m-%d}", row.pk) for row in page]


def repair(_: TaskRun, findings: list[Finding]) -> int:
    return _old().filter(pk__in=[finding.subject for finding in findings]).delete()[0]


def _old() -> QuerySet[WebhookDelivery]:
    """What is still on its way is younger than three days, unless its receiver asks to wait, or is overrun."""
    on_its_way = Q(state=DeliveryState.PENDING, endpoint__disabled_at=None)
    return WebhookDelivery.objects.filter(~on_its_way, created_at__lt=from_now(-KEPT.total_seconds()))
