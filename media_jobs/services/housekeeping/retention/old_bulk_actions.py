"""Bulk actions that ended long ago. What they changed stands in the log of changes."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import QuerySet

from media_jobs.models import BulkAction, BulkItem
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now

_KEPT = timedelta(days=30)


def find(_: TaskRun) -> Iterator[list[Finding]]:
    """Find those that ended 30 days ago: first what they say of each picture, page by page, then themselves."""
    for action in _ended_long_ago():
        said = f"{action}, ended {action.ended_at:%Y-%m-%d}"
        for page in batches(BulkItem.objects.filter(action=action).only("id"), 1_000):
            yield [Finding(f"a line of {said}", item.pk) for item in page]
        yield [Finding(said, action.pk)]


def repair(_: TaskRun, findings: list[Finding]) -> int:
    """Delete lines, or bulk actions."""
    subjects = [finding.subject for finding in findings]
    lines = [subject for subject in subjects if isinstance(subject, int)]
    BulkItem.objects.filter(pk__in=lines, action__in=_ended_long_ago()).delete()
    _ended_long_ago().filter(pk__in=[subject for subject in subjects if not isinstance(subject, int)]).delete()
    return len(findings)


def _ended_long_ago() -> QuerySet[BulkAction]:
    return BulkAction.objects.filter(ended_at__lt=from_now(-_KEPT.total_seconds())).order_by("id")
