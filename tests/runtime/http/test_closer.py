"""One thread closes all connections: none waits for another, each gets to read its answer, and none stays for ever."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from media_jobs.runtime.http.closer import Closer
from media_jobs.runtime.http.pace import Pace
from tests.runtime.http.pairs import LIMIT_S, pair, tcp_pair, until, until_the_end

MakeCloser = Callable[..., Closer]


@pytest.fixture
def closer(stack: ExitStack) -> MakeCloser:
    def make(*, grace_s: float = LIMIT_S, silence_s: float = LIMIT_S, **bounds: int) -> Closer:
        made = Closer(Pace(grace_s, 1e9), silence_s=silence_s, **{"at_most_bytes": 100_000_000, **bounds})
        made.start()
        stack.callback(made.join, LIMIT_S)
        stack.callback(made.end)
        return made

    return make


def test_an_answer_can_be_read_while_the_client_still_sends(closer, stack):
    ours, theirs = tcp_pair(stack)
    sending = threading.Thread(target=theirs.sendall, args=(bytes(30_000_000),))
    sending.start()
    closer().adopt(ours, b"413")
    sending.join(LIMIT_S)
    assert until_the_end(theirs) == b"413"


def test_who_was_cut_off_and_sends_on_can_read_why(closer, stack):
    ours, theirs = tcp_pair(stack)
    ours.begin(Pace(LIMIT_S, 1e9))
    ours.cut_off()
    with pytest.raises(TimeoutError):
        ours.recv(10)
    closing = closer()
    closing.adopt(ours, b"408")
    until(lambda: ours in closing.served or ours.fileno() == -1)
    for _ in range(5):
        theirs.sendall(bytes(1000))
        time.sleep(0.02)  # a reset takes a moment
    assert until_the_end(theirs) == b"408"


def test_clients_that_linger_hold_up_nobody(closer, stack):
    closing = closer()
    for _ in range(50):
        closing.adopt(pair(stack)[0])
    ours, theirs = pair(stack)
    closing.adopt(ours, b"last")
    assert until_the_end(theirs) == b"last"
    theirs.close()
    until(lambda: len(closing.served) == 50)


def test_who_says_nothing_is_let_go(closer, stack):
    closing = closer(silence_s=0.05)
    ours, _ = pair(stack)
    closing.adopt(ours)
    until(closing.is_idle)
    assert ours.fileno() == -1


def test_who_does_not_take_its_answer_is_let_go(closer, stack):
    closing = closer(grace_s=0.05)
    ours, _ = pair(stack)
    closing.adopt(ours, bytes(10_000_000))
    until(closing.is_idle)
    assert ours.fileno() == -1


def test_no_more_is_read_than_was_said(closer, stack):
    closing = closer(at_most_bytes=1_000_000)
    ours, theirs = pair(stack)
    closing.adopt(ours)
    with pytest.raises(OSError):  # noqa: PT011  (EPIPE or ECONNRESET)
        theirs.sendall(bytes(10_000_000))
    until(closing.is_idle)


def test_of_more_than_its_bound_the_first_is_dropped(closer, stack):
    closing = closer(at_most=2)
    ends = [pair(stack) for _ in range(3)]
    for ours, _ in ends:
        closing.adopt(ours)
    until(lambda: ends[0][0].fileno() == -1)
    assert all(ours.fileno() != -1 for ours, _ in ends[1:])


def test_a_client_that_has_closed_its_own_side_gets_its_answer(closer, stack):
    ours, theirs = pair(stack)
    theirs.shutdown(1)
    closer().adopt(ours, bytes(3_000_000))
    assert len(until_the_end(theirs)) == 3_000_000
