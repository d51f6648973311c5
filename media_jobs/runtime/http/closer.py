"""Closing connections beside the event loop: a client that still sends gets to read what it was told."""

import selectors
import socket
import sys
import time

from media_jobs.runtime.http.pace import Pace
from media_jobs.runtime.http.paced_socket import PacedSocket
from media_jobs.runtime.http.selector_thread import SelectorThread

#: As many are closed with patience at once; of more, those that have had the most are dropped.
AT_MOST = 256
#: A client that sends nothing for so long, and does not close either, has read what it will read.
SILENCE_S = 5.0
_AT_ONCE_BYTES = 262_144
#: Linux throws away what TCP has received without copying it.
_DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else 0


class Closer(SelectorThread):
    """Closes connections as RFC 9112, 9.6 wants it: says that nothing more comes, and reads until the client closes.

    Whoever closes at once while the client sends makes the kernel reset the connection, and the client, or the proxy
    between, loses the answer. `at_most_bytes` of each client are read, at the pace that all have to keep.
    """

    def __init__(self, pace: Pace, *, at_most_bytes: int, at_most: int = AT_MOST, silence_s: float = SILENCE_S) -> None:
        super().__init__("closer")
        self.pace, self.at_most_bytes, self.silence_s = pace, at_most_bytes, silence_s
        self._at_most = at_most
        self.scratch = bytearray(_AT_ONCE_BYTES)

    def adopt(self, sock: PacedSocket, last_words: bytes = b"") -> None:
        """Take a connection over, to send what it still owes and `last_words`, and to close it."""
        sock.setblocking(False)
        sock.unsent += last_words
        self.call(self._take, sock)

    def is_idle(self) -> bool:
        """Whether all that was taken over has been closed."""
        return not self.served and not self._calls

    def _take(self, sock: PacedSocket) -> None:
        closing = _Closing(self, sock)
        self.served[sock] = closing
        self._guarded(sock, "on_ready")
        if len(self.served) > self._at_most:
            next(iter(self.served.values())).drop()


class _Closing:
    """One connection that is being closed."""

    def __init__(self, closer: Closer, sock: PacedSocket) -> None:
        self._closer, self._sock = closer, sock
        self._began_s = self._heard_s = time.monotonic()
        self._sent_bytes = self._read_bytes = 0
        self._is_half_closed = self._is_drained = False

    def on_ready(self) -> None:
        if not self._is_half_closed:
            self._send()
        if not self._is_drained:
            self._drain()
        if self._is_half_closed and self._is_drained:
            self.drop()
            return
        reading = 0 if self._is_drained else selectors.EVENT_READ
        writing = 0 if self._is_half_closed else selectors.EVENT_WRITE
        self._closer.watch(self._sock, reading | writing)

    def on_timer(self, now_s: float) -> None:
        is_late = now_s - self._began_s > self._closer.pace.allowed_s(self._sent_bytes + self._read_bytes)
        is_silent = self._is_half_closed and now_s - self._heard_s > self._closer.silence_s
        if is_late or is_silent:
            self.drop()

    def drop(self) -> None:
        self._closer.unwatch(self._sock)
        self._closer.served.pop(self._sock, None)
        self._sock.close()

    def _send(self) -> None:
        try:
            while self._sock.unsent:
                sent = self._sock.send(self._sock.unsent)
                del self._sock.unsent[:sent]
                self._sent_bytes += sent
        except BlockingIOError:
            return
        self._is_half_closed = True
        self._heard_s = time.monotonic()
        self._sock.shutdown(socket.SHUT_WR)

    def _drain(self) -> None:
        """Read once, and note whether that was all that is worth reading."""
        try:
            got = self._sock.recv_into(self._closer.scratch, 0, _DISCARD)
        except BlockingIOError:
            return
        self._read_bytes += got
        self._heard_s = time.monotonic()
        self._is_drained = not got or self._read_bytes >= self._closer.at_most_bytes
