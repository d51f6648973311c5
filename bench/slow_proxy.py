"""A proxy on loopback through which a server seems far away: all that goes to it shares one line of a certain speed."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.relay import Relay, connector


class _SlowLine(Relay):
    """Lets through `bytes_s` in a second to the server at `url`, whoever sends them."""

    def __init__(self, url: str, bytes_s: int) -> None:
        self._bytes_s = bytes_s
        self._booking = threading.Lock()
        self._free_at = time.monotonic()
        super().__init__(connector(url))

    def passing(self, piece: bytes, *, is_request: bool) -> None:
        if not is_request:
            return
        with self._booking:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + len(piece) / self._bytes_s
            wait_s = self._free_at - now
        time.sleep(wait_s)


@contextmanager
def slowed(url: str, bytes_s: int) -> Iterator[str]:
    """A URL of the server at `url` that takes `bytes_s` a second; what it answers comes at full speed."""
    with _SlowLine(url, bytes_s) as line:
        yield f"http://127.0.0.1:{line.port}"
