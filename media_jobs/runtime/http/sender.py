"""Sends the rest of answers, so that no thread of the pool waits for a client that takes its time."""

import contextlib
import selectors
import time
from collections.abc import Callable

from media_jobs.runtime.http.pace import Pace
from media_jobs.runtime.http.paced_socket import PacedSocket
from media_jobs.runtime.http.selector_thread import SelectorThread

#: Answers under way at once. Of more, the slowest is given up.
AT_MOST = 512
#: One client gets so much before it is the turn of the next one.
_AT_ONCE_BYTES = 262_144
#: Nobody is judged slow before.
_JUDGED_AFTER_S = 2.0

#: Called in the thread when the answer is out, or with False when its client was given up.
Done = Callable[[bool], None]


class Sender(SelectorThread):
    """Sends bytes out of memory and files out of the page cache, to as many clients as want them.

    A file is read by this thread's `sendfile`: a disk that is slow holds up other downloads, and nothing else.
    """

    def __init__(self, pace: Pace, *, at_most: int = AT_MOST) -> None:
        super().__init__("sender")
        self.pace, self._at_most = pace, at_most

    def adopt(self, sock: PacedSocket, done: Done) -> None:
        """Take over a connection that owes its client something, until `done` is called."""
        sock.setblocking(False)
        self.call(self._take, sock, done)

    def _take(self, sock: PacedSocket, done: Done) -> None:
        self.served[sock] = _Sending(self, sock, done)
        self._guarded(sock, "on_ready")
        if len(self.served) > self._at_most:
            slowest = min(self._under_way(), key=_Sending.bytes_s)
            slowest.drop()

    def _under_way(self) -> "list[_Sending]":
        return [sending for sending in self.served.values() if isinstance(sending, _Sending)]


class _Sending:
    """One answer under way."""

    def __init__(self, sender: Sender, sock: PacedSocket, done: Done) -> None:
        self._sender, self._sock, self._done = sender, sock, done
        self._began_s = time.monotonic()
        self._sent_bytes = 0

    def bytes_s(self) -> float:
        lasted_s = time.monotonic() - self._began_s
        return self._taken_bytes() / lasted_s if lasted_s > _JUDGED_AFTER_S else float("inf")

    def _taken_bytes(self) -> int:
        return max(0, self._sent_bytes - self._sock.waiting_bytes())

    def on_ready(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._sent_bytes += self._send_some()
        if self._sock.has_unsent:
            self._sender.watch(self._sock, selectors.EVENT_WRITE)
        else:
            self._end(was_sent=True)

    def on_timer(self, now_s: float) -> None:
        if now_s - self._began_s > self._sender.pace.allowed_s(self._taken_bytes()):
            self.drop()

    def drop(self) -> None:
        self._end(was_sent=False)

    def _send_some(self) -> int:
        if self._sock.unsent:
            sent = self._sock.send(memoryview(self._sock.unsent)[:_AT_ONCE_BYTES])
            del self._sock.unsent[:sent]
            return sent
        part = self._sock.part
        sent = part.send_to(self._sock, _AT_ONCE_BYTES) if part and part.left else 0
        if part and not part.left:
            self._sock.drop_part()
        return sent

    def _end(self, *, was_sent: bool) -> None:
        self._sender.unwatch(self._sock)
        del self._sender.served[self._sock]
        if not was_sent:
            self._sock.unsent.clear()
            self._sock.drop_part()
        self._done(was_sent)
