"""A thread of the pool answers a request, and leaves its connection as the next one needs it."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from media_jobs.models.base import uuid7
from media_jobs.runtime.http.answering import AnsweringWorker
from media_jobs.runtime.http.pace import Pace
from media_jobs.runtime.http.paced_socket import HELD_BYTES
from media_jobs.runtime.parked_sockets import ParkedSocket
from media_jobs.services.waiting.waits import Finished, Parked, Poll
from tests.runtime.http.pairs import LIMIT_S, pair

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"

App = Callable[[dict[str, Any], Any], Any]


class Worker(AnsweringWorker):
    """What a thread has of the worker."""

    def __init__(self, app: App) -> None:
        self.wsgi, self.cfg, self.alive = app, Config(), True
        self.parking = cast("Any", SimpleNamespace(room=None))
        self.log = logging.getLogger("worker")


def connected(
    stack: ExitStack, *, grace_s: float = LIMIT_S, kind: int = socket.SOCK_STREAM
) -> tuple[TConn, socket.socket]:
    """A connection whose request has begun, and the client's end of it."""
    ours, theirs = pair(stack, kind)
    connection = TConn(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
    connection.init()
    ours.begin(Pace(grace_s, 1e9))
    return connection, theirs


def says(*parts: bytes, length: int | None = None, reads: bool = False) -> App:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if reads:
            environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(length or sum(map(len, parts))))])
        return iter(parts)

    return app


def test_a_connection_goes_on_after_a_body_that_was_read(stack):
    connection, client = connected(stack)
    client.sendall(POST + GET)
    assert Worker(says(b"fine", reads=True)).handle(connection) is True
    assert client.recv(1000).endswith(b"fine")
    assert connection.parser.unreader.take_buffered() == GET


def chunks(*parts: bytes) -> App:
    def app(_environ: object, start_response: Any) -> Any:
        start_response("200 OK", [])
        return iter(parts)

    return app


@pytest.mark.parametrize(
    ("app", "packets"),
    [
        (says(b"fine", b"more"), [b"\r\n\r\nfine", b"more"]),
        (says(b""), [b"Content-Length: 0\r\n\r\n"]),
        (says(), [b"Content-Length: 0\r\n\r\n"]),
        (says(b"x" * 100_000), [b"\r\n\r\n", b"x" * 100_000]),
        (chunks(b"fine", b"more"), [b"\r\n\r\n4\r\nfine\r\n", b"4\r\nmore\r\n", b"0\r\n\r\n"]),
        (chunks(), [b"\r\n\r\n", b"0\r\n\r\n"]),
    ],
)
def test_the_head_of_an_answer_goes_with_what_comes_first_of_its_body(stack, app, packets):
    connection, client = connected(stack, kind=socket.SOCK_SEQPACKET)
    client.sendall(GET)
    assert Worker(app).handle(connection) is True
    connection.sock.shutdown(socket.SHUT_WR)
    got = list(iter(lambda: client.recv(200_000), b""))
    assert [packet[-len(end) :] for packet, end in zip(got, packets, strict=True)] == packets
    assert got[0].startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_connection_ends_after_a_body_that_is_still_to_come(stack):
    connection, client = connected(stack)
    client.sendall(POST[:-1])
    assert Worker(says(b"fine")).handle(connection) is False
    assert b"Connection: close" in client.recv(1000)


@pytest.mark.parametrize("app", [says(b"fine"), says(bytes(HELD_BYTES // 2))])
def test_the_event_loop_finds_a_connection_on_which_nothing_blocks(stack, app):
    connection, client = connected(stack)
    client.sendall(GET)
    assert Worker(app).handle(connection) is True
    with pytest.raises(BlockingIOError):
        connection.sock.recv(1)


@pytest.mark.django_db  # an answer that waited looks after the connection of its thread, if that has one
@pytest.mark.sqlite
def test_whoever_waits_for_a_job_is_given_back_to_the_event_loop(stack):
    poll = Poll(
        uuid7(), known=None, wait_s=LIMIT_S, finish=lambda: Finished("200 OK", [("Content-Length", "4")], b"done")
    )

    def app(_environ: object, _start_response: object) -> Any:
        raise Parked(poll)

    connection, client = connected(stack)
    client.sendall(GET)
    worker = Worker(app)
    parked = worker.handle(connection)
    assert isinstance(parked, ParkedSocket)
    assert parked.wait is poll
    assert worker._answer(parked) is True
    assert client.recv(1000).endswith(b"done")


def test_who_takes_too_little_of_an_answer_ends_it_and_no_operator_hears_of_it(stack, caplog):
    connection, client = connected(stack, grace_s=0.05)
    client.sendall(GET)
    assert Worker(says(*[bytes(HELD_BYTES)] * 8)).handle(connection) is False
    assert not connection.sock.has_unsent
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_an_application_that_fails_before_it_answers_is_an_internal_error_in_the_form_of_its_address(stack, caplog):
    def app(_environ: object, _start_response: object) -> Any:
        raise ValueError("nothing at all")

    for path, code_of in (("", lambda body: body["code"]), ("/files", lambda body: body["errors"][0]["code"])):
        connection, client = connected(stack)
        connection.sock.path = path
        client.sendall(GET)
        assert Worker(app).handle(connection) is False
        head, _, body = client.recv(2000).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 500 ")
        assert code_of(json.loads(body)) == "internal_error"
        assert b"nothing at all" not in body
    assert "nothing at all" in caplog.text


def test_an_application_that_fails_in_the_middle_ends_the_answer_there(stack, caplog):
    def parts() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    def app(_environ: object, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "8")])
        return parts()

    connection, client = connected(stack)
    client.sendall(GET)
    assert Worker(app).handle(connection) is False
    assert client.recv(1000).endswith(b"half")
    assert "no more" in caplog.text


def test_a_file_that_is_not_taken_at_once_is_owed(stack, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(HELD_BYTES * 4))

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", str(HELD_BYTES * 4))])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    connection, client = connected(stack)
    client.sendall(GET)
    assert Worker(app).handle(connection) is True
    assert connection.sock.has_unsent
