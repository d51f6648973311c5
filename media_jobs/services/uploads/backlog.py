"""How much waits already, and whether there is room for one more upload."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import BacklogFull

#: For so long a process believes its own count of what waits.
_FRESH_S = 1.0


class _Meter:
    """Counts in the database at most once a second, and itself what comes in through this process meanwhile.

    Where that says “full”, the database is asked again: what has been done since makes room at once, and a single
    process never lets in more than the limit. With several, each may let in as many too many as the others accept
    within a second.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted = 0  #: rows
        self._since = 0  #: accepted here since they were counted
        self._coming = 0  #: uploads on their way, which have no job yet
        self._fresh_until = 0.0

    @property
    def waiting(self) -> int:
        return self._counted + self._since + self._coming

    def enter(self, limit: int) -> None:
        """Raises BacklogFull."""
        with self._lock:
            if time.monotonic() > self._fresh_until or self.waiting >= limit:
                self._counted, self._since = selectors.backlog_size(at_most=limit), 0
                self._fresh_until = time.monotonic() + _FRESH_S
            if self.waiting >= limit:
                raise BacklogFull
            self._coming += 1

    def leave(self, *, accepted: bool) -> None:
        with self._lock:
            self._coming -= 1
            self._since += accepted


_meter = _Meter()


@contextmanager
def place() -> Iterator[None]:
    """Room for one upload: to be entered before a byte of it is read, and left when its job waits or it failed.

    Raises BacklogFull past MAX_BACKLOG waiting jobs, StorageFull when the disk of the storage is nearly full.
    """
    enter()
    accepted = False
    try:
        yield
        accepted = True
    finally:
        leave(accepted=accepted)


def enter() -> None:
    """Take the room of one upload, as `place` does, until `leave`. Raises BacklogFull, StorageFull."""
    store(Role.WEB).check_room()
    _meter.enter(settings.MAX_BACKLOG)


def leave(*, accepted: bool) -> None:
    """Give the room back. accepted: a job waits in its place."""
    _meter.leave(accepted=accepted)


def waiting() -> int:
    """About how many jobs wait, as far as this process knows; bulk work does not count. Asks nobody."""
    return _meter.waiting


def forget() -> None:
    """Count anew before the next upload."""
    global _meter  # noqa: PLW0603 - one per process
    _meter = _Meter()
