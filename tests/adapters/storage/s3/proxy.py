"""A proxy in front of an S3 server, in which a test holds up, slows down and cuts what passes."""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.servers.relay import PIECE_BYTES, Relay, connector

_METHODS = (b"GET /", b"PUT /", b"POST /", b"DELETE /", b"HEAD /")


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


class S3Proxy(Relay):
    """Its hooks are called before each piece passes, in a thread of that connection's own.

    They may take their time, and raise ConnectionResetError or OrderlyEndError.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.on_request: Hook = _nothing
        self.on_answer: Hook = _nothing
        self.exchanges: list[Exchange] = []
        super().__init__(connector(endpoint_url))
        self.endpoint_url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.on_request = self.on_answer = _nothing
        super().close()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        exchanges: list[Exchange] = []
        answering = threading.Thread(target=self._answer, args=(client, server, exchanges), daemon=True)
        answering.start()
        try:
            with contextlib.suppress(OSError, OrderlyEndError):
                while piece := client.recv(PIECE_BYTES):
                    if piece.startswith(_METHODS):
                        exchanges.append(Exchange(piece.partition(b"\r\n\r\n")[0].decode()))
                        self.exchanges.append(exchanges[-1])
                    self.on_request(exchanges[-1])
                    server.sendall(piece)
                    exchanges[-1].request_bytes += len(piece)
        finally:
            _stop_reading(server)
            answering.join()
        raise ConnectionResetError  # whoever has not closed yet learns that it was no orderly end

    def _answer(self, client: socket.socket, server: socket.socket, exchanges: list[Exchange]) -> None:
        """Return when either side has closed, and both know."""
        try:
            while piece := server.recv(PIECE_BYTES):
                self.on_answer(exchanges[-1])
                client.sendall(piece)
                exchanges[-1].answer_bytes += len(piece)
            raise OrderlyEndError
        except OrderlyEndError:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        _stop_reading(client)


def _stop_reading(end: socket.socket) -> None:
    """Whoever waits for bytes from there gets none."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RD)
