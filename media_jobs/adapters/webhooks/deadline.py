"""A time limit on a whole request, whatever the other side does with its pauses.

The timeouts of sockets begin anew with each byte that arrives: a receiver that sends one now and then holds a request
up for as long as it likes.
"""

import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool


class DeadlinePassed(TimeoutError):
    """There was no time left to connect."""


class Deadline:
    """Cuts the connections that it watches when `limit_s` seconds are over. Begins on entry."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._ends_at = 0.0
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(limit_s, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._ends_at = time.monotonic() + self._limit_s
        self._timer.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._timer.cancel()
        self._timer.join()
        for watched in self._watched:
            watched.close()

    @property
    def has_passed(self) -> bool:
        return time.monotonic() >= self._ends_at

    def watch(self, sock: socket.socket) -> None:
        """Raises DeadlinePassed."""
        with self._lock:
            if self.has_passed:
                raise DeadlinePassed
            # TLS takes the socket over; the copy stays ours, and ends the same connection.
            self._watched.append(sock.dup())

    def pool_classes(self) -> dict[str, type[ConnectionPool]]:
        """Return urllib3's pools by scheme, with connections that are watched from their first step on."""
        deadline = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _watched(super()._new_conn(), deadline)

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _watched(super()._new_conn(), deadline)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls: Any = Encrypted

        return {"http": PlainPool, "https": EncryptedPool}

    def _cut(self) -> None:
        with self._lock:
            for watched in self._watched:
                try:
                    watched.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has ended
                    continue


def _watched(sock: socket.socket, deadline: Deadline) -> socket.socket:
    try:
        deadline.watch(sock)
    except DeadlinePassed:
        sock.close()
        raise
    return sock
