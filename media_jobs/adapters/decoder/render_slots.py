"""So many places to render at, shared by more processes: those that have none fetch and store meanwhile."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
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
        with ExitStack() as files:
            descriptors = [files.enter_context(_opened(path)) for path in self._paths]
            _wait(descriptors, heartbeat)
            yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor of its own, which children do not inherit: closing it ends its lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(descriptors: Sequence[int], heartbeat: Heartbeat) -> None:
    """Return once one of them is locked."""
    throttled_heartbeat = throttled(heartbeat)
    while True:
        for descriptor in descriptors:
            with suppress(BlockingIOError):
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        throttled_heartbeat()
        time.sleep(_ASK_AGAIN_S)
