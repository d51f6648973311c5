"""Places of uploads whose process died, and what was counted on past days."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from media_jobs.models import ProductDay, UploadPlace
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.instructions.places import DEAD_AFTER
from media_jobs.services.jobs.transitions import from_now

#: A place of yesterday may still become a file.
_COUNTS_KEPT = timedelta(days=2)


def find(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(UploadPlace.objects.filter(created_at__lte=from_now(-DEAD_AFTER.total_seconds()))):
        yield [Finding(f"a place of {row.owner} in instruction {row.instruction_id}", row) for row in page]
    for day in batches(ProductDay.objects.filter(day__lt=datetime.now(UTC).date() - _COUNTS_KEPT)):
        yield [Finding(f"the count of {row.owner} on {row.day}", row) for row in day]


def repair(_: TaskRun, findings: list[Finding]) -> int:
    return sum(finding.subject.delete()[0] for finding in findings)
