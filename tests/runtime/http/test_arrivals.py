"""The event loop reads requests until they are worth a thread, and gives up on those that do not come."""

import selectors
import socket
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from media_jobs.runtime.http import arrivals, heads
from media_jobs.runtime.http.arrivals import OPENING_BYTES, Arrivals, Outcomes
from media_jobs.runtime.http.pace import Limits, Pace
from media_jobs.runtime.http.paced_socket import PacedSocket
from tests.runtime.http.pairs import LIMIT_S, pair, until

GET = b"GET /v1/jobs/1 HTTP/1.1\r\nHost: x\r\n\r\n"


class Connection:
    def __init__(self, sock: PacedSocket) -> None:
        self.sock = sock


class Loop:
    """An event loop with arrivals, and what became of connections."""

    def __init__(
        self, stack: ExitStack, *, head_s: float = LIMIT_S, silent_s: float = LIMIT_S, grace_s: float = LIMIT_S
    ):
        self.stack, self.poller = stack, stack.enter_context(selectors.DefaultSelector())
        self.started: list[Any] = []
        self.refused: list[str] = []
        self.gone: list[Any] = []
        outcomes = Outcomes(self.started.append, lambda _, code: self.refused.append(code), self.gone.append)
        self.arrivals = Arrivals(self.poller, Limits(head_s, silent_s, Pace(grace_s, 1e9)), outcomes)

    def connect(self, already: bytes = b"") -> socket.socket:
        ours, theirs = pair(self.stack)
        self.arrivals.add(Connection(ours), already)
        return theirs

    def turn(self, *, times: int = 3) -> None:
        for _ in range(times):
            for key, _ in self.poller.select(0.01):
                key.data(key.fileobj)
        self.arrivals.expire()

    def until(self, condition: Any) -> None:
        def turned() -> object:
            self.turn()
            return condition()

        until(turned)


UPLOAD = b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"


def test_a_request_that_comes_byte_by_byte_starts_when_its_head_is_there(stack):
    loop = Loop(stack)
    client = loop.connect()
    for byte in GET[:-1]:
        client.send(bytes([byte]))
        loop.turn(times=1)
    assert not loop.started
    client.send(GET[-1:])
    loop.turn()
    assert bytes(loop.started[0].data) == GET
    assert not len(loop.arrivals)


@pytest.mark.parametrize(
    ("request_head", "body"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n", b"0123456789"),
        (b"POST / HTTP/1.1\r\ncontent-length:\t10 \r\n\r\n", b"0123456789"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n0\r\n\r\n"),
        (b"POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\n", bytes(OPENING_BYTES)),
    ],
)
def test_a_body_starts_when_it_is_whole_or_has_begun_in_earnest(stack, request_head, body):
    loop = Loop(stack)
    client = loop.connect()
    client.sendall(request_head + body[:-1])
    loop.turn(times=5)
    assert not loop.started
    client.sendall(body[-1:])
    loop.until(lambda: loop.started)
    assert loop.started[0].is_whole is (len(body) < OPENING_BYTES)


def test_a_client_that_waits_to_be_asked_for_its_body_starts_at_once(stack):
    loop = Loop(stack)
    loop.connect().sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
    loop.until(lambda: loop.started)


def test_what_waits_in_line_is_read_on_and_starts_by_itself_once_it_is_whole(stack):
    loop = Loop(stack)
    client = loop.connect()
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + bytes(OPENING_BYTES))
    loop.until(lambda: loop.started)
    loop.arrivals.keep(loop.started[0])
    client.sendall(bytes(100_000 - OPENING_BYTES))
    loop.until(lambda: len(loop.started) == 2)
    assert loop.started[1].is_whole
    assert not len(loop.arrivals)


def test_of_what_waits_in_line_no_more_is_read_than_there_is_room_for(stack, monkeypatch):
    monkeypatch.setattr(arrivals, "IN_LINE_BYTES", 100_000)
    loop = Loop(stack)
    client = loop.connect()
    client.setblocking(False)
    client.send(b"POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n" + bytes(OPENING_BYTES))
    loop.until(lambda: loop.started)
    loop.arrivals.keep(loop.started[0])
    for _ in range(300):
        loop.turn(times=1)
        with suppress(BlockingIOError):
            client.send(bytes(10_000))
    assert len(loop.started[0].data) < 200_000
    loop.arrivals.release(loop.started[0].connection)
    assert not len(loop.arrivals)


@pytest.mark.parametrize("becomes_of_it", ["it starts", "it makes room"])
def test_an_event_that_comes_too_late_reads_nothing(stack, becomes_of_it):
    """Of two events of one turn, the first may end the wait of the connection of the second."""
    loop = Loop(stack)
    client = loop.connect()
    client.sendall(UPLOAD + bytes(OPENING_BYTES))
    loop.until(lambda: loop.started)
    [arriving] = loop.started
    loop.arrivals.keep(arriving)
    client.sendall(b"more")
    [(late, _)] = loop.poller.select(LIMIT_S)
    if becomes_of_it == "it starts":
        loop.arrivals.release(arriving.connection)
    else:
        assert loop.arrivals.evict()
    late.data(late.fileobj)
    assert len(arriving.data) == len(UPLOAD) + OPENING_BYTES
    assert arriving.connection.sock.recv(10) == b"more"
    assert not loop.gone


def test_a_fault_with_one_connection_ends_that_one_alone(stack, monkeypatch):
    loop = Loop(stack)
    failing, other = loop.connect(), loop.connect()
    with monkeypatch.context() as patched:
        patched.setattr(heads, "look", lambda _arrived: 1 / 0)
        failing.sendall(GET)
        loop.until(lambda: loop.gone)
    assert len(loop.arrivals) == 1
    other.sendall(GET)
    failing.sendall(GET)
    loop.until(lambda: loop.started)
    assert (len(loop.started), len(loop.gone)) == (1, 1)


def test_a_second_request_that_came_with_the_first_is_not_waited_for(stack):
    loop = Loop(stack)
    loop.connect(already=GET)
    assert len(loop.started) == 1


@pytest.mark.parametrize(
    ("sent", "bounds", "code"),
    [
        (b"GET / HT", {"head_s": 0.05}, "request_timeout"),
        (b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nx", {"grace_s": 0.05}, "request_timeout"),
        (b"\x16\x03\x01\x02", {}, "not_http"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 66_000, {}, "head_too_large"),
    ],
)
def test_who_is_too_slow_or_sends_something_else_is_told(stack, sent, bounds, code):
    loop = Loop(stack, **bounds)
    loop.connect().sendall(sent)
    loop.until(lambda: loop.refused == [code])
    assert not loop.started


def test_who_is_silent_for_too_long_is_closed_without_a_word(stack):
    loop = Loop(stack, silent_s=0.05)
    client = loop.connect()
    loop.until(lambda: loop.gone)
    assert not loop.refused
    client.close()


def test_who_closes_is_forgotten(stack):
    loop = Loop(stack)
    loop.connect().close()
    loop.until(lambda: loop.gone)
    assert not len(loop.arrivals)


def test_room_is_made_by_the_one_that_has_been_silent_longest_then_by_requests(stack):
    loop = Loop(stack)
    busy, *_ = [loop.connect() for _ in range(3)]
    busy.sendall(b"GET")
    loop.turn()
    assert [loop.arrivals.evict() for _ in range(4)] == [True, True, True, False]
    assert (len(loop.gone), loop.refused) == (2, ["request_timeout"])


def test_what_all_have_sent_so_far_is_bounded(stack, monkeypatch):
    monkeypatch.setattr(arrivals, "MOST_HELD_BYTES", 100_000)
    loop = Loop(stack)
    head = b"POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\n"
    for size in (40_000, 50_000, 30_000):
        loop.connect().sendall(head + bytes(size))
    loop.until(lambda: loop.refused == ["request_timeout"])
    assert len(loop.arrivals) == 2


def test_when_the_server_stops_silent_clients_go_and_requests_may_end(stack):
    loop = Loop(stack)
    loop.connect()
    busy = loop.connect()
    busy.sendall(b"GET")
    loop.turn()
    loop.arrivals.close_silent(0.05)
    loop.until(lambda: loop.gone)
    busy.sendall(GET[3:])
    loop.until(lambda: loop.started)
