"""What the queue says of itself, for operators. The table of jobs is the truth; this is the doorbell."""

from dataclasses import dataclass
from datetime import datetime

from media_jobs.adapters import queue
from media_jobs.library import overview
from media_jobs.states import Lane

_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class LaneState:
    """jobs: that wait in the table, 10,000 at most. wakeups: in RQ's list, which `name` is the name of."""

    lane: Lane
    name: str
    jobs: int
    wakeups: int


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker as RQ knows it. seen_at: its last heartbeat."""

    name: str
    state: str
    seen_at: datetime | None


def lanes() -> list[LaneState]:
    """Raises QueueUnavailable."""
    wakeups, jobs = queue.lengths(), overview.waiting_by_lane(at_most=_COUNTED)
    return [LaneState(lane, queue.name_of(lane), jobs[lane], wakeups[lane]) for lane in Lane]


def workers() -> list[WorkerState]:
    """Raises QueueUnavailable."""
    return [WorkerState(*found) for found in queue.workers()]
