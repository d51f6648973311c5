"""One TCP relay for all the proxies of tests and benchmarks: each says only what it does to what passes."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

#: No thread of a connection takes longer to notice that it is over.
_END_LIMIT_S = 40.0
PIECE_BYTES = 65_536

Connect = Callable[[], socket.socket]


class Relay:
    """Takes connections until it is closed, makes one to the server for each, and serves the pair in a thread.

    Subclasses override `serve`, or only `passing`. connect: makes a connection to the server.
    listener: where clients come; by default a free port of 127.0.0.1.
    """

    def __init__(self, connect: Connect, *, listener: socket.socket | None = None) -> None:
        self._connect = connect
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._is_closing = False
        self._serving: set[threading.Thread] = set()
        self._ends: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept, name="relay", daemon=True)
        self._accepting.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def is_quiet(self) -> bool:
        """Whether no connection is open, so that nothing can still be on its way."""
        return not self._serving

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on what comes until both ends have said all. Raise OSError to end the connection by a reset."""
        answering = threading.Thread(target=self._pass_all, args=(server, client), name="relay", daemon=True)
        answering.start()
        self._pass_all(client, server, is_request=True)
        answering.join()

    def passing(self, piece: bytes, *, is_request: bool) -> None:
        """Called before each piece passes, in a thread of that direction of the connection. It may take its time."""

    def close(self) -> None:
        """Take no more connections, end those that are open, and return when their threads have ended."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing it would not end `accept`
        self._accepting.join(_END_LIMIT_S)
        self._listener.close()
        with self._lock:
            self._is_closing = True
            ends, threads = list(self._ends), list(self._serving)
        for end in ends:
            hang_up(end)
        for thread in threads:
            thread.join(_END_LIMIT_S)
            assert not thread.is_alive(), "a connection of a relay does not end"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._handle, args=(client,), name="relay", daemon=True)
            with self._lock:
                self._serving.add(thread)
            thread.start()

    def _handle(self, client: socket.socket) -> None:
        ends: set[socket.socket] = {client}
        give_up: Callable[[socket.socket], None] = reset
        try:
            with suppress(OSError):
                server = self._connect()
                ends.add(server)
                with self._lock:
                    if self._is_closing:
                        raise ConnectionResetError
                    self._ends |= ends
                self.serve(client, server)
                give_up = socket.socket.close
        finally:  # a hook may have raised what its test is to see
            for end in ends:
                give_up(end)
            with self._lock:
                self._ends -= ends
                self._serving.discard(threading.current_thread())

    def _pass_all(self, source: socket.socket, sink: socket.socket, *, is_request: bool = False) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                self.passing(piece, is_request=is_request)
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def connector(url: str) -> Connect:
    """What connects to the server of a URL that names its port."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    address = parts.hostname, parts.port
    return lambda: socket.create_connection(address)


def hang_up(end: socket.socket) -> None:
    """Whoever waits for bytes from there gets none, and nothing can be sent."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def reset(end: socket.socket) -> None:
    """Close at once, so that the other side, unless it knows already, sees that it was no orderly end."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
