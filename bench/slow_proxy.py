"""A proxy on loopback through which a server seems far away: all that goes to it shares one line of a certain speed."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_CHUNK_BYTES = 65_536


class _Line:
    """Lets through `bytes_s` in a second, whoever sends them."""

    def __init__(self, bytes_s: int) -> None:
        self._bytes_s = bytes_s
        self._lock = threading.Lock()
        self._free_at = time.monotonic()

    def wait_for(self, size_bytes: int) -> None:
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size_bytes / self._bytes_s
            wait_s = self._free_at - now
        time.sleep(wait_s)


@contextmanager
def slowed(url: str, bytes_s: int) -> Iterator[str]:
    """A URL of the server at `url` that takes `bytes_s` a second; what it answers comes at full speed."""
    address = urlsplit(url)
    line = _Line(bytes_s)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = (address.hostname or "", address.port or 80)
        threading.Thread(target=_accept, args=(listener, server, line), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: tuple[str, int], line: _Line) -> None:
    with suppress(OSError):  # closed
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, server, line), daemon=True).start()


def _serve(client: socket.socket, server: tuple[str, int], line: _Line) -> None:
    with client, socket.create_connection(server) as upstream:
        sending = threading.Thread(target=_relay, args=(client, upstream, line), daemon=True)
        sending.start()
        _relay(upstream, client, None)
        sending.join()


def _relay(source: socket.socket, sink: socket.socket, line: _Line | None) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK_BYTES):
            if line:
                line.wait_for(len(chunk))
            sink.sendall(chunk)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
