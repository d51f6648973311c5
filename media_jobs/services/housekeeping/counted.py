"""Adds up what `/metrics` tells, so that a scrape has little to sum, and forgets workers that died long ago."""

from collections.abc import Iterator

from django.db.models import Max

from media_jobs.models import MetricEntry
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.metrics import ledger, presence

#: So many lines are left to be summed by readers: twice what one line for each thing that is counted would be.
_FEW = 200


def find(_: TaskRun) -> Iterator[list[Finding]]:
    """Find whether there are many lines."""
    lines, last = MetricEntry.objects.count(), MetricEntry.objects.aggregate(last=Max("pk"))["last"]
    if lines > _FEW:
        yield [Finding(f"{lines:,} lines of metrics", last)]


def repair(run: TaskRun, findings: list[Finding]) -> int:
    """Put one line in the place of many. Lines that are written meanwhile stay beside it."""
    fewer = 0
    for finding in findings:
        while not run.is_out_of_time() and (more := ledger.add_up(upto=finding.subject)):
            run.heartbeat()
            fewer += more
    presence.forget_silent()
    return fewer
