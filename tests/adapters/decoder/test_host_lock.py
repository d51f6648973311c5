"""Many at once, or one alone, among the processes of a host."""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from media_jobs.adapters.decoder.host_lock import HostLock
from media_jobs.ports import no_heartbeat
from tests.adapters.decoder.running import ROOT

pytestmark = pytest.mark.slow

HOLDER = """
import sys
from pathlib import Path
from media_jobs.adapters.decoder.host_lock import HostLock
heartbeats = []
with getattr(HostLock(Path(sys.argv[1])), sys.argv[2])(lambda: heartbeats.append(None)):
    print("in", flush=True)
    sys.stdin.readline()
"""
#: Shares the lock again and again, so that with its like there is always somebody who has it.
STREAM = """
import sys, time
from pathlib import Path
from media_jobs.adapters.decoder.host_lock import HostLock
lock = HostLock(Path(sys.argv[1]))
while True:
    with lock.shared(lambda: None):
        print("in", flush=True)
        time.sleep(0.2)
"""


class StopWanted(Exception):
    """What a worker raises in its heartbeat."""


class Other:
    """Another process that takes the lock, or waits for it."""

    def __init__(self, folder: Path, how: str, program: str = HOLDER) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder), how],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def wait_in(self) -> None:
        assert _pipe(self.process.stdout).readline() == b"in\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe
    return pipe


Start = Callable[..., Other]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    others: list[Other] = []

    def begin(how: str, program: str = HOLDER) -> Other:
        others.append(Other(tmp_path, how, program))
        return others[-1]

    yield begin
    for other in others:
        other.kill()


def impatient(after: int = 3) -> Callable[[], None]:
    """A heartbeat that has enough of waiting."""
    heartbeats = itertools.count(1)

    def heartbeat() -> None:
        if next(heartbeats) >= after:
            raise StopWanted

    return heartbeat


@contextmanager
def limited_heartbeat(limit_s: float = 30) -> Iterator[Callable[[], None]]:
    """A heartbeat that waits, but not until the test's own time is over."""
    until = time.monotonic() + limit_s

    def heartbeat() -> None:
        assert time.monotonic() < until, "it is not its turn for ever"

    yield heartbeat


def wait_until_somebody_wants_to_be_alone(lock: HostLock) -> None:
    with limited_heartbeat() as heartbeat:
        while True:
            heartbeat()
            try:
                with lock.shared(impatient(2)):
                    time.sleep(0.02)
            except StopWanted:
                return


def test_those_who_share_do_not_wait_for_each_other(tmp_path: Path, start: Start) -> None:
    for other in (start("shared"), start("shared")):
        other.wait_in()
    with HostLock(tmp_path).shared(impatient(1)):
        pass


@pytest.mark.parametrize(
    ("theirs", "mine"), [("exclusive", "shared"), ("exclusive", "exclusive"), ("shared", "exclusive")]
)
def test_who_is_alone_is_alone(tmp_path: Path, start: Start, theirs: str, mine: str) -> None:
    other = start(theirs)
    other.wait_in()
    with pytest.raises(StopWanted), getattr(HostLock(tmp_path), mine)(impatient()):
        raise AssertionError("both are in")
    other.kill()
    with limited_heartbeat() as heartbeat, getattr(HostLock(tmp_path), mine)(heartbeat):
        pass


def test_what_is_left_is_free_at_once(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "made" / "when needed")
    for take in (lock.exclusive, lock.shared, lock.exclusive):
        with take(impatient(1)):
            pass
        with pytest.raises(StopWanted), take(no_heartbeat):
            raise StopWanted


def test_a_stream_of_sharers_lets_the_one_in_who_waits(tmp_path: Path, start: Start) -> None:
    for other in [start("shared", STREAM) for _ in range(3)]:
        other.wait_in()
    with limited_heartbeat() as heartbeat, HostLock(tmp_path).exclusive(heartbeat):
        pass


def test_sharers_wait_behind_the_one_who_waits_and_get_in_after(tmp_path: Path, start: Start) -> None:
    sharer = start("shared")
    sharer.wait_in()
    waiting = start("exclusive")
    lock = HostLock(tmp_path)
    wait_until_somebody_wants_to_be_alone(lock)
    sharer.kill()
    waiting.wait_in()
    waiting.kill()
    with limited_heartbeat() as heartbeat, lock.shared(heartbeat):
        pass


@pytest.mark.parametrize("how", ["shared", "exclusive"])
def test_a_lock_ends_with_the_process_that_holds_it(tmp_path: Path, start: Start, how: str) -> None:
    other = start(how)
    other.wait_in()
    other.process.kill()
    with limited_heartbeat() as heartbeat, HostLock(tmp_path).exclusive(heartbeat):
        pass


def test_who_dies_waiting_holds_nobody_up(tmp_path: Path, start: Start) -> None:
    holder = start("shared")
    holder.wait_in()
    waiting = start("exclusive")
    lock = HostLock(tmp_path)
    wait_until_somebody_wants_to_be_alone(lock)
    waiting.kill()
    with limited_heartbeat() as heartbeat, lock.shared(heartbeat):
        pass


@pytest.mark.parametrize("mine", ["shared", "exclusive"])
def test_a_wait_that_a_heartbeat_has_ended_leaves_no_lock(tmp_path: Path, start: Start, mine: str) -> None:
    holder = start("exclusive" if mine == "shared" else "shared")
    holder.wait_in()
    with pytest.raises(StopWanted), getattr(HostLock(tmp_path), mine)(impatient()):
        raise AssertionError("both are in")
    holder.kill()
    other = start("exclusive")
    other.wait_in()


def test_who_waits_calls_its_heartbeat(tmp_path: Path, start: Start) -> None:
    start("exclusive").wait_in()
    with pytest.raises(StopWanted), HostLock(tmp_path).shared(impatient(8)):
        raise AssertionError("both are in")
