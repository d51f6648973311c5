"""What the first page asks. Each question is answered by an index, or asked for by a script after the page is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import Now, TruncDay, TruncHour
from django.utils import timezone

from media_jobs.models import Job, ReprocessRun
from media_jobs.states import JobState, Lane, RunState

_DAY, _MONTH = timedelta(hours=24), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Bar:
    """What ended within one hour, or on one day."""

    at: datetime
    done: int
    failed: int


def waiting_by_lane(*, at_most: int) -> dict[Lane, int]:
    """Return how many jobs wait in each lane; each count stops at `at_most`."""
    return {
        lane: Job.objects.filter(state=JobState.QUEUED, lane=lane)
        .order_by("queue_position", "id")
        .values("pk")[:at_most]
        .count()
        for lane in Lane
    }


def at_work(at_most: int = 20) -> list[Job]:
    """Return the jobs that workers are at, the longest first."""
    jobs = Job.objects.filter(state=JobState.PROCESSING, lease_until__gt=Now()).select_related("original", "preset")
    return list(jobs.order_by("started_at")[:at_most])


def runs_to_decide(at_most: int = 5) -> list[ReprocessRun]:
    """Return the runs that wait for a person: drafts, those that stopped by themselves, and finished ones."""
    states = (RunState.DRAFT, RunState.PAUSED, RunState.INTERRUPTED, RunState.FINISHED)
    return list(ReprocessRun.objects.filter(state__in=states).select_related("preset").order_by("-id")[:at_most])


def last_day() -> list[Bar]:
    """Return what ended in each of the last 24 hours."""
    return _bars(TruncHour, timedelta(hours=1), _DAY)


def last_month() -> list[Bar]:
    """Return what ended on each of the last 30 days."""
    return _bars(TruncDay, timedelta(days=1), _MONTH)


def _bars(trunc: Any, step: timedelta, span: timedelta) -> list[Bar]:
    zone = timezone.get_current_timezone()
    now = timezone.localtime()
    last = now.replace(minute=0, second=0, microsecond=0)
    last = last.replace(hour=0) if step >= timedelta(days=1) else last
    steps: Sequence[datetime] = [last - step * back for back in reversed(range(int(span / step)))]
    counted: dict[str, dict[datetime, int]] = {}
    for state in (JobState.DONE, JobState.FAILED):
        ended = Job.objects.filter(state=state, finished_at__gte=steps[0]).order_by()
        grouped = ended.annotate(at=trunc("finished_at", tzinfo=zone)).values("at").annotate(jobs=Count("pk"))
        counted[state] = {row["at"]: row["jobs"] for row in grouped}
    return [Bar(at, counted[JobState.DONE].get(at, 0), counted[JobState.FAILED].get(at, 0)) for at in steps]
