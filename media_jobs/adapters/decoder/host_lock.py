"""A lock among the processes of a host, for work that wants the host for itself."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from media_jobs.adapters.throttle import throttled
from media_jobs.ports import Heartbeat

_SHORT_S, _LONG_S = 0.02, 0.25
#: How long a wait counts as short: then it asks often.
_SHORT_WAIT_S = 1.0


class HostLock:
    """A readers–writer lock between all processes that use the same `folder`, which is made when first needed.

    It is the kernel's (flock), so that it ends with the process that holds it, however that ends. Fair to those who
    want to be alone: once they ask, no newcomer gets in before them. Not thread-safe.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def shared(self, heartbeat: Heartbeat) -> Iterator[None]:
        """Hold the host beside others that share it. Waits while somebody is alone, or waits to be.

        Meanwhile `heartbeat` is called at least twice a second; what it raises ends the wait. Raises OSError.
        """
        with ExitStack() as locks:
            with self._file("gate") as gate:
                wait_for(gate, fcntl.LOCK_EX, heartbeat)
                room = locks.enter_context(self._file("room"))
                wait_for(room, fcntl.LOCK_SH, heartbeat)
            yield

    @contextmanager
    def exclusive(self, heartbeat: Heartbeat) -> Iterator[None]:
        """Hold the host alone. Waits until all others have ended and lets no new ones begin; else like `shared`."""
        with self._file("gate") as gate, self._file("room") as room:
            wait_for(gate, fcntl.LOCK_EX, heartbeat)
            wait_for(room, fcntl.LOCK_EX, heartbeat)
            yield

    @contextmanager
    def _file(self, name: str) -> Iterator[int]:
        """A descriptor of its own, which children do not inherit: closing it ends its lock."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def wait_for(descriptor: int, operation: int, heartbeat: Heartbeat) -> None:
    throttled_heartbeat = throttled(heartbeat)
    started = time.monotonic()
    while True:
        try:
            return fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            throttled_heartbeat()
        time.sleep(_SHORT_S if time.monotonic() - started < _SHORT_WAIT_S else _LONG_S)
