"""How long a job will probably take: by what the latest ones took, and by what is before it."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.utils import timezone

from media_jobs import selectors
from media_jobs.models import Job
from media_jobs.services.uploads import backlog
from media_jobs.states import JobState, Lane

#: Where nothing has ever been done yet.
UNKNOWN_MS = 5_000
#: So many of a lane's latest jobs tell how long the next ones take.
SAMPLE = 50
#: Beyond so many jobs ahead nobody counts them one by one.
COUNTED_AHEAD = 1_000
#: Who did something within this time before the latest job's end is taken for a worker that runs.
_LATELY = timedelta(minutes=1)
_FRESH_S = 3.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How quickly the jobs of a lane get done. workers: how many do them, at least one."""

    job_ms: float
    workers: int


@dataclass(frozen=True, slots=True)
class Done:
    """A job of the past."""

    lane: str
    duration_ms: int
    worker: str
    finished_at: datetime


class _Paces:
    """The pace of each lane, read again every few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Lane, Pace] = {}
        self._fresh_until = 0.0

    def of(self, lane: Lane) -> Pace:
        with self._lock:
            if time.monotonic() > self._fresh_until:
                done = [Done(*row) for row in selectors.latest_done(at_most=4 * SAMPLE)]
                working = list(selectors.at_work())
                self._known = {lane: _pace(lane, done, working) for lane in Lane}
                self._fresh_until = time.monotonic() + _FRESH_S
            return self._known[lane]


_paces = _Paces()


def pace(lane: Lane) -> Pace:
    """The pace of `lane`. Two queries every few seconds, else none."""
    return _paces.of(lane)


def forget() -> None:
    """Read the history anew for the next estimate."""
    global _paces  # noqa: PLW0603 - one per process
    _paces = _Paces()


def remaining_ms(job: Job) -> int:
    """Return in how many ms a job that waits, or is being processed, will probably be done. At most one query."""
    expected = pace(Lane(job.lane))
    if job.state == JobState.PROCESSING:
        return max(1, round(expected.job_ms * (100 - job.progress) / 100))
    pause_ms = max(0.0, (job.not_before - timezone.now()).total_seconds() * 1000)
    return round(pause_ms + (_ahead(job) / expected.workers + 1) * expected.job_ms)


def _ahead(job: Job) -> int:
    ahead = selectors.waiting_before(job, at_most=COUNTED_AHEAD)
    return ahead if ahead < COUNTED_AHEAD else max(ahead, backlog.waiting())


def _pace(lane: Lane, done: Sequence[Done], working: Sequence[tuple[str, str]]) -> Pace:
    """done: the latest jobs of all lanes, newest first. working: lane and worker of each job in work."""
    of_lane = [job for job in done if job.lane == lane]
    sample = (of_lane or done)[:SAMPLE]
    if lane is Lane.HEAVY:  # any worker does the other two, but few at a time do this
        done, working = of_lane, [(of, worker) for of, worker in working if of == lane]
    lately = {job.worker for job in done if job.finished_at >= done[0].finished_at - _LATELY}
    workers = lately | {worker for _, worker in working}
    return Pace(median(job.duration_ms for job in sample) if sample else UNKNOWN_MS, max(1, len(workers)))
