"""A TCP proxy in front of an S3 server, in which a test holds up, slows down and cuts what passes."""

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_METHODS = (b"GET /", b"PUT /", b"POST /", b"DELETE /", b"HEAD /")
_PIECE_BYTES = 65_536
_LIMIT_S = 40.0


class OrderlyEndError(Exception):
    """Raised by a hook: the connection is closed as if all had been said."""


@dataclass(eq=False)
class Exchange:
    """One request and its answer. The bytes are those that have passed, heads included."""

    head: str
    request_bytes: int = 0
    answer_bytes: int = 0

    @property
    def asks_for(self) -> str:
        """Method and path."""
        return " ".join(self.head.split(None, 2)[:2])

    @property
    def is_get(self) -> bool:
        return self.head.startswith("GET")


Hook = Callable[[Exchange], None]


def _nothing(_: Exchange) -> None:
    pass


class S3Proxy:
    """Listens on loopback. Its hooks are called before each piece passes, in a thread of that connection's own.

    They may take their time, and raise ConnectionResetError or OrderlyEndError.
    """

    def __init__(self, endpoint_url: str) -> None:
        parts = urlsplit(endpoint_url)
        assert parts.port
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.on_request: Hook = _nothing
        self.on_answer: Hook = _nothing
        self.exchanges: list[Exchange] = []
        self._connections = itertools.count()
        self._open: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def is_quiet(self) -> bool:
        """Whether no connection is open, so that nothing can still be on its way."""
        return not self._open

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _wake(self._listener)  # closing it would not end `accept`
        self._accepting.join(_LIMIT_S)  # whom it let in just now is closed with the others
        self._listener.close()
        self.on_request = self.on_answer = _nothing
        for ends in list(self._open.values()):
            for end in ends:
                _wake(end)
        deadline = time.monotonic() + _LIMIT_S
        while not self.is_quiet:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                _reset(client)
                continue
            number = next(self._connections)
            self._open[number] = (client, server)
            threading.Thread(target=self._serve, args=(number, client, server), daemon=True).start()

    def _serve(self, number: int, client: socket.socket, server: socket.socket) -> None:
        exchanges: list[Exchange] = []
        answering = threading.Thread(target=self._answer, args=(client, server, exchanges), daemon=True)
        answering.start()
        try:
            with contextlib.suppress(OSError, OrderlyEndError):
                while piece := client.recv(_PIECE_BYTES):
                    if piece.startswith(_METHODS):
                        exchanges.append(Exchange(piece.partition(b"\r\n\r\n")[0].decode()))
                        self.exchanges.append(exchanges[-1])
                    self.on_request(exchanges[-1])
                    server.sendall(piece)
                    exchanges[-1].request_bytes += len(piece)
        finally:  # a hook may have raised what its test is to see
            _wake(server)
            answering.join()
            _reset(client, server)
            del self._open[number]

    def _answer(self, client: socket.socket, server: socket.socket, exchanges: list[Exchange]) -> None:
        """Serve until either side has closed, and both know."""
        try:
            while piece := server.recv(_PIECE_BYTES):
                self.on_answer(exchanges[-1])
                client.sendall(piece)
                exchanges[-1].answer_bytes += len(piece)
            raise OrderlyEndError
        except OrderlyEndError:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        _wake(client)


def _wake(end: socket.socket) -> None:
    """Whoever waits for bytes from there gets none."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RD)


def _reset(*ends: socket.socket) -> None:
    """Close, and tell the other side, unless it knows already, that it was no orderly end."""
    for end in ends:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()
