"""What a request may wait for while its connection is parked: the answer to a poll, or the next events of a stream."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from media_jobs.callers import Caller
from media_jobs.event_log import EventCursor
from media_jobs.states import JobState

_OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
#: A stream that has more to send than this waits for its client before it is given more.
_FULL_BYTES = 65_536


def is_over(state: str) -> bool:
    """Whether nothing happens to a job in this state any more by itself."""
    return state in _OVER


@dataclass(frozen=True, slots=True)
class Finished:
    """An HTTP answer. status: as in `200 OK`."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Poll:
    """A request that is answered once its job is over, or has gone past the event `known`, or `wait_s` have passed.

    finish: makes the answer, from what is true when it is called.
    """

    def __init__(self, job_id: UUID, *, known: int | None, wait_s: float, finish: Callable[[], Finished]) -> None:
        self.job_id, self.known, self.finish = job_id, known, finish
        self.until_s = time.monotonic() + wait_s

    def is_answered_by(self, last_event: int, state: str) -> bool:
        return is_over(state) or (self.known is not None and last_event != self.known)


class Stream:
    """A request that is sent the events that its caller may see, from `cursor` on, for as long as it listens.

    jobs: only of these, where any are named. Whoever reads events appends to it, and whoever has the connection takes:
    the two may be threads of their own.
    """

    def __init__(self, caller: Caller, cursor: EventCursor, *, jobs: frozenset[UUID] = frozenset()) -> None:
        self.caller, self.cursor, self.jobs = caller, cursor, jobs
        self._lock = threading.Lock()
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0

    def wants(self, owner: str, job_id: UUID) -> bool:
        return (not self.jobs or job_id in self.jobs) and self.caller.may_read(owner)

    @property
    def is_full(self) -> bool:
        """Whether its client is behind. What it misses meanwhile it gets later: its cursor stays where it is."""
        return self._unsent_bytes >= _FULL_BYTES

    def append(self, text: bytes) -> None:
        with self._lock:
            self._unsent.append(text)
            self._unsent_bytes += len(text)

    def take(self) -> bytes:
        """Return all that was appended since the last time."""
        with self._lock:
            taken = b"".join(self._unsent)
            self._unsent.clear()
            self._unsent_bytes = 0
        return taken


Wait = Poll | Stream


class Parked(BaseException):
    """Leaves the WSGI application in place of an answer: the server keeps the connection and frees the thread.

    No Exception, so that nobody on its way takes it for a failure.
    """

    def __init__(self, wait: Wait) -> None:
        super().__init__()
        self.wait = wait
