"""What a test must not leave behind: threads, child processes, a changed environment."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from redis.client import PubSubWorkerThread

from tests import servers

#: A thread that a test has told to end, and a process that it has killed, may take a moment to be gone.
_END_LIMIT_S = 20.0
#: Begins the names of threads whose owners outlive a test: the pool of transfers to S3, and a proxy of many tests.
#: RQ's own, which hears of commands, ends when the server's next word wakes it.
_SHARED_THREADS = ("s3", "relay", "ThreadPoolExecutor", "asyncio_", "pytest_timeout", "execnet", "Dummy")
_CHANGED_BY_PYTEST = "PYTEST_CURRENT_TEST"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The state of this process at one time."""

    environment: frozenset[tuple[str, str]]
    threads: frozenset[threading.Thread]
    children: frozenset[int]

    @classmethod
    def now(cls) -> Self:
        environment = frozenset(item for item in os.environ.items() if item[0] != _CHANGED_BY_PYTEST)
        return cls(environment, frozenset(threading.enumerate()), children_of_this_process())

    def assert_nothing_new(self, *, processes: bool = True) -> None:
        """Wait for what is just ending. processes: whether they count."""
        changed = Leftovers.now().environment ^ self.environment
        assert not changed, f"the environment is not as it was: {sorted(name for name, _ in changed)}"
        deadline = time.monotonic() + _END_LIMIT_S
        while left := self._new_threads() + (self._new_children() if processes else []):
            assert time.monotonic() < deadline, f"left running: {left}"
            time.sleep(0.005)

    def _new_threads(self) -> list[str]:
        new = set(threading.enumerate()) - self.threads
        return [
            thread.name
            for thread in new
            if not thread.name.startswith(_SHARED_THREADS) and not isinstance(thread, PubSubWorkerThread)
        ]

    def _new_children(self) -> list[str]:
        new = children_of_this_process() - self.children - servers.pids
        return [f"process {pid}" for pid in new if not _is_decoder(pid)]


def _is_decoder(pid: int) -> bool:
    """A decoder ends with its parent, and one that tests share is replaced whenever a picture was its end.

    The template that they are forked from ends with its thread, and is waited for when the next decoder is needed.
    """
    try:
        name, command = (Path(f"/proc/{pid}/{file}").read_bytes() for file in ("comm", "cmdline"))
    except OSError:  # it has ended
        return True
    return name.startswith((b"gallimg-decoder", b"gallimg-templat")) or b"media_jobs/pipeline/__main__.py" in command


def children_of_this_process() -> frozenset[int]:
    """Their process ids, on Linux; elsewhere none are known."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").glob("*/children"):
        try:
            found.update(map(int, thread.read_text().split()))
        except OSError:  # that thread has ended
            continue
    return frozenset(found)
