"""One thread sends what clients do not take at once: bytes, files and parts of files."""

import os
import queue
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from media_jobs.runtime.http.pace import Pace
from media_jobs.runtime.http.paced_socket import FilePart, PacedSocket
from media_jobs.runtime.http.sender import Sender
from tests.runtime.http.pairs import LIMIT_S, pair, until, until_the_end

CONTENT = os.urandom(5_000_000)
MakeSender = Callable[..., Sender]


@pytest.fixture
def sender(stack: ExitStack) -> MakeSender:
    def make(*, grace_s: float = LIMIT_S, bytes_s: float = 1e9, **bounds: int) -> Sender:
        made = Sender(Pace(grace_s, bytes_s), **bounds)
        made.start()
        stack.callback(made.join, LIMIT_S)
        stack.callback(made.end)
        return made

    return make


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def part(path: Path, offset: int = 0, left: int = len(CONTENT)) -> FilePart:
    return FilePart(os.open(path, os.O_RDONLY), offset, left)


def closing(ours: PacedSocket, then: Callable[[bool], None]) -> Callable[[bool], None]:
    """What closes the connection when all is sent, or given up."""

    def done(was_sent: bool) -> None:
        then(was_sent)
        ours.close()

    return done


def test_a_head_and_a_part_of_a_file_arrive_whole_and_in_order(sender, stack, file):
    ours, theirs = pair(stack)
    ended: queue.SimpleQueue[bool] = queue.SimpleQueue()
    ours.unsent += b"head"
    ours.send_part(part(file, 1000, 4_000_000))
    sender().adopt(ours, ended.put)
    got = b""
    while len(got) < 4_000_004:
        got += theirs.recv(1_000_000)
    assert got == b"head" + CONTENT[1000:4_001_000]
    assert ended.get(timeout=LIMIT_S) is True
    assert not ours.has_unsent


def test_who_takes_nothing_holds_up_nobody_and_is_given_up(sender, stack, file):
    sending, ended = sender(grace_s=2.0, bytes_s=1_000), queue.SimpleQueue[tuple[int, bool]]()
    idle = [pair(stack) for _ in range(20)]
    for number, (ours, _) in enumerate(idle):
        ours.send_part(part(file))
        sending.adopt(ours, lambda sent, number=number: ended.put((number, sent)))
    ours, theirs = pair(stack)
    ours.send_part(part(file))
    sending.adopt(ours, closing(ours, lambda sent: ended.put((99, sent))))
    assert until_the_end(theirs) == CONTENT
    outcomes = dict(ended.get(timeout=LIMIT_S) for _ in range(21))
    assert outcomes == {**dict.fromkeys(range(20), False), 99: True}
    assert not any(ours.has_unsent for ours, _ in idle)


def test_of_more_than_its_bound_the_slowest_is_given_up(sender, stack, file):
    sending, ended = sender(at_most=2), queue.SimpleQueue[int]()
    for number in range(3):
        ours, _ = pair(stack)
        ours.send_part(part(file))
        sending.adopt(ours, lambda sent, number=number: ended.put(number))
    ended.get(timeout=LIMIT_S)
    assert len(sending.served) == 2


def test_a_file_that_became_shorter_ends_the_connection(sender, stack, file):
    ours, theirs = pair(stack)
    ended: queue.SimpleQueue[bool] = queue.SimpleQueue()
    ours.send_part(part(file))
    os.truncate(file, 1_000)
    sender().adopt(ours, closing(ours, ended.put))
    until_the_end(theirs)
    assert ended.get(timeout=LIMIT_S) is False


def test_when_it_ends_it_lets_go_of_all(sender, stack, file):
    sending = sender()
    ours, _ = pair(stack)
    ours.send_part(part(file))
    done: list[bool] = []
    sending.adopt(ours, partial(done.append))
    until(lambda: sending.served)
    sending.end()
    until(lambda: done == [False])
