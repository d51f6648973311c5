"""One thread keeps the connections of all who wait: it sends, notices who goes, and hands back whose time has come."""

import queue
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from media_jobs.callers import ANONYMOUS
from media_jobs.event_log import EventCursor
from media_jobs.models.base import uuid7
from media_jobs.runtime import parked_sockets
from media_jobs.runtime.parked_sockets import ParkedSocket, ParkedSockets
from media_jobs.services.waiting.waits import Finished, Poll, Stream, Wait

LIMIT_S = 60.0


class Server:
    """The thread, and what it has told the worker."""

    def __init__(self, at_most: int = 10) -> None:
        self.resumed: queue.SimpleQueue[ParkedSocket] = queue.SimpleQueue()
        self.closed = threading.Semaphore(0)
        self.sockets = ParkedSockets(at_most, resume=self.resumed.put, closed=self.closed.release)
        self.clients: list[socket.socket] = []

    def park(self, wait: Wait, *, chunked: bool = True) -> socket.socket:
        """The client's end of a connection that waits."""
        ours, theirs = socket.socketpair()
        theirs.settimeout(LIMIT_S)
        self.clients += [ours, theirs]
        connection = SimpleNamespace(sock=ours, close=ours.close)
        self.sockets.adopt(ParkedSocket(connection, None, wait, chunked=chunked))
        return theirs

    def say(self, stream: Stream, text: bytes) -> None:
        stream.append(text)
        self.sockets.room.tell(stream)

    def was_closed(self) -> bool:
        return self.closed.acquire(timeout=LIMIT_S)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.sockets.start()
    yield server
    server.sockets.end()
    server.sockets.join(LIMIT_S)
    for client in server.clients:
        client.close()


def poll(wait_s: float = LIMIT_S) -> Poll:
    return Poll(uuid7(), known=None, wait_s=wait_s, finish=lambda: Finished("200 OK", [], b""))


def stream() -> Stream:
    return Stream(ANONYMOUS, EventCursor(0, 5))


def received(client: socket.socket, count: int) -> bytes:
    text = b""
    while len(text) < count:
        more = client.recv(count - len(text))
        assert more, text
        text += more
    return text


def until_the_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))


def test_a_poll_is_handed_back_when_it_is_told(server):
    wait = poll()
    server.park(wait)
    server.sockets.room.tell(wait)
    assert server.resumed.get(timeout=LIMIT_S).wait is wait
    assert server.sockets.room.count() == 0


def test_a_poll_is_handed_back_when_its_time_is_over(server):
    wait = poll(0.05)
    server.park(wait)
    assert server.resumed.get(timeout=LIMIT_S).wait is wait


def test_a_poll_that_is_told_twice_is_answered_once(server):
    wait, other = poll(), poll()
    server.park(wait)
    server.park(other)
    for told in (wait, wait, other):
        server.sockets.room.tell(told)
    assert {server.resumed.get(timeout=LIMIT_S).wait for _ in range(2)} == {wait, other}
    assert server.resumed.empty()


@pytest.mark.parametrize("make", [poll, stream])
def test_who_goes_leaves_its_place(server, make):
    client = server.park(make())
    client.close()
    assert server.was_closed()
    assert server.sockets.room.count() == 0
    assert server.resumed.empty()


def test_what_a_client_sends_too_early_stays_for_the_next_request(server):
    wait = poll()
    client = server.park(wait)
    client.sendall(b"GET / HTTP/1.1\r\n")
    server.sockets.room.tell(wait)
    parked = server.resumed.get(timeout=LIMIT_S)
    parked.socket.setblocking(True)
    assert parked.socket.recv(3) == b"GET"


@pytest.mark.parametrize(("chunked", "sent"), [(True, b"5\r\nfirst\r\n6\r\nsecond\r\n"), (False, b"firstsecond")])
def test_a_stream_is_sent_what_it_has_to_say(server, chunked, sent):
    wait = stream()
    client = server.park(wait, chunked=chunked)
    server.say(wait, b"first")
    assert received(client, sent.index(b"6") if chunked else 5)
    server.say(wait, b"second")
    assert received(client, len(sent) - (sent.index(b"6") if chunked else 5)).strip(b"\r\n").endswith(b"second")


def test_a_stop_ends_streams_properly_and_answers_polls(server):
    listening, waiting = stream(), poll()
    client = server.park(listening)
    server.park(waiting)
    server.say(listening, b"last words")
    server.sockets.stop()
    assert until_the_end(client) == b"A\r\nlast words\r\n0\r\n\r\n"
    assert server.resumed.get(timeout=LIMIT_S).wait is waiting
    assert server.was_closed()
    assert not server.sockets.room.has_place()


def test_who_comes_after_the_stop_is_let_go_at_once(server):
    server.sockets.stop()
    waiting = poll()
    server.park(waiting)
    assert until_the_end(server.park(stream())) == b"0\r\n\r\n"
    assert server.resumed.get(timeout=LIMIT_S).wait is waiting


def test_a_stop_does_not_wait_for_a_client_that_takes_nothing(server):
    wait = stream()
    server.park(wait)
    server.say(wait, b"x" * 4_000_000)
    server.sockets.stop()
    assert server.was_closed()


def test_past_the_limit_a_poll_is_answered_at_once_and_a_stream_ends():
    server = Server(at_most=1)
    server.sockets.start()
    try:
        server.park(poll())
        second = poll()
        server.park(second)
        assert server.resumed.get(timeout=LIMIT_S).wait is second
        assert until_the_end(server.park(stream())) == b"0\r\n\r\n"
        assert server.sockets.room.count() == 1
    finally:
        server.sockets.end()
        server.sockets.join(LIMIT_S)
        for client in server.clients:
            client.close()


def test_a_slow_client_gets_everything_and_no_more_is_fetched_for_it_meanwhile(server):
    wait = stream()
    client = server.park(wait, chunked=False)
    server.say(wait, b"a" * 4_000_000)
    for _ in range(100):
        server.say(wait, b"b" * 1000)
    assert received(client, 4_100_000).count(b"b") == 100_000


def test_silence_is_broken_by_heartbeats_that_tell_the_place(server, monkeypatch):
    monkeypatch.setattr(parked_sockets, "HEARTBEAT_S", 0.01)
    client = server.park(stream(), chunked=False)
    text = received(client, 100).decode()
    assert text.count("event: heartbeat\nid: 0-5\ndata: {}\n\n") >= 2


def test_a_client_that_takes_nothing_for_long_is_let_go(server, monkeypatch):
    monkeypatch.setattr(parked_sockets, "STALL_S", 0.01)
    wait = stream()
    server.park(wait)
    server.say(wait, b"x" * 4_000_000)
    assert server.was_closed()
    assert server.sockets.room.count() == 0


def test_a_stream_ends_after_its_time_so_that_its_client_shows_its_credential_again(server, monkeypatch):
    monkeypatch.setattr(parked_sockets, "LIFETIME_S", 0.01)
    assert until_the_end(server.park(stream())) == b"0\r\n\r\n"
