"""So many places to render at, shared by more processes: those that have none fetch and store meanwhile."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from media_jobs.adapters.throttle import throttled
from media_jobs.ports import Heartbeat

#: A place is free for so long, at most, before somebody takes it: a fortieth of a render.
_ASK_AGAIN_S = 0.005


class RenderSlots:
    """`count` places for the processes that use the same `folder`, which is there.

    Each is a lock of the kernel's (flock), so that it ends with the process that holds it, however that ends. Not
    thread-safe.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._paths = [folder / f"slot{number}.lock" for number in range(count)]

    @contextmanager
    def one(self, heartbeat: Heartbeat) -> Iterator[None]:
        """Hold one of the places, waiting for it.

        Meanwhile `heartbeat` is called at least twice a second; what it raises ends the wait. Raises OSError.
        """
        descriptor = self._taken(heartbeat)
        try:
            yield
        finally:
            os.close(descriptor)

    def _taken(self, heartbeat: Heartbeat) -> int:
        throttled_heartbeat = throttled(heartbeat)
        while True:
            for path in self._paths:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(descriptor)
                else:
                    return descriptor
            throttled_heartbeat()
            time.sleep(_ASK_AGAIN_S)
