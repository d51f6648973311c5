"""Ends what nobody decided: after a week a run counts as accepted, and a draft that nobody confirmed goes.

Ledgers go with the histories of jobs, when EVENT_RETENTION_DAYS says so; the numbers of the run stay.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from media_jobs.models import ReprocessRun, RunItem
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.runs import moves
from media_jobs.states import RunState

#: So long a run can be rolled back, and so long a draft waits.
KEEP = timedelta(days=7)
NOBODY_DECIDED = "nobody_decided"
_DECIDABLE = (RunState.FINISHED, RunState.CANCELLED)


def find(_: TaskRun) -> Iterator[list[Finding]]:
    """Find runs that ended a week ago, and drafts of a week ago."""
    ended = ReprocessRun.objects.filter(_ended_before(KEEP), state__in=_DECIDABLE)
    for page in batches(ended):
        yield [Finding(f"run {run}: can no longer be rolled back", run) for run in page]
    for page in batches(ReprocessRun.objects.filter(_old_draft())):
        yield [Finding(f"run {run}: never confirmed", run) for run in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    return len(task_run.for_each(findings, _end))


def find_ledgers(_: TaskRun) -> Iterator[list[Finding]]:
    """Find lines of ledgers that are old enough; none while EVENT_RETENTION_DAYS is 0."""
    if not settings.EVENT_RETENTION_DAYS:
        return
    old = _ended_before(timedelta(days=settings.EVENT_RETENTION_DAYS))
    runs = ReprocessRun.objects.filter(old, state__in=[RunState.ACCEPTED, RunState.ROLLED_BACK])
    for page in batches(RunItem.objects.filter(run__in=runs).only("id", "run"), 1_000):
        yield [Finding(f"line {item.pk} of run {item.run_id}", item.pk) for item in page]


def remove_ledgers(_: TaskRun, findings: list[Finding]) -> int:
    return RunItem.objects.filter(pk__in=[finding.subject for finding in findings]).delete()[0]


def _end(run: ReprocessRun) -> bool:
    if run.state == RunState.DRAFT:
        return bool(ReprocessRun.objects.filter(_old_draft(), pk=run.pk).delete()[0])
    return moves.try_move(run.pk, RunState.ACCEPTED, only=_ended_before(KEEP), code=NOBODY_DECIDED)


def _old_draft() -> Q:
    return Q(state=RunState.DRAFT, created_at__lte=from_now(-KEEP.total_seconds()))


def _ended_before(age: timedelta) -> Q:
    return Q(ended_at__lte=from_now(-age.total_seconds()))
