"""A client's connection as threads of the pool see it: one waits for the client no longer than its pace allows."""

import fcntl
import os
import select
import socket
import sys
import termios
import time
from dataclasses import dataclass
from typing import Any, Self

from media_jobs.runtime.http.pace import Pace

#: So much of an answer is kept for the sender, so that the thread that made it can go on.
HELD_BYTES = 1_048_576
#: Who is slower than this dawdles, if it has been waited for so much longer than that: lines stall for a moment.
_DAWDLING_BYTES_S, _DAWDLING_S = 16_384, 2.0
#: How often a thread that waits looks up to see whether its client was cut off.
_LOOKS_UP_S = 0.5


class ClientTooSlow(TimeoutError):
    """The client did not keep the pace, or was cut off."""

    def __init__(self) -> None:
        super().__init__("the client is too slow")


@dataclass(slots=True)
class FilePart:
    """What is still to be sent of an open file. Whoever has it closes it."""

    descriptor: int
    offset: int
    left: int

    def send_to(self, sock: socket.socket, at_most: int) -> int:
        """Send some of it without waiting, and return how many bytes. Raises BlockingIOError, OSError."""
        sent = os.sendfile(sock.fileno(), self.descriptor, self.offset, min(self.left, at_most))
        if not sent:
            raise ConnectionError("the file is shorter than it was")
        self.offset += sent
        self.left -= sent
        return sent

    def close(self) -> None:
        os.close(self.descriptor)


class PacedSocket(socket.socket):
    """It never blocks in the kernel. Where it is `patient`, calls wait by themselves, for what the pace leaves.

    Only time that is spent on the client counts: whoever writes a body to a slow storage meanwhile does not use
    up what the client has. What it does not take of an answer at once is kept in `unsent` and `part`, for the sender.
    path: what the request in hand asks for, as far as that could be told from its head.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        super().setblocking(False)
        self.patient = False
        self.path = ""
        self.unsent = bytearray()
        self.part: FilePart | None = None
        self._waits_since_s: float | None = None  # for bytes of this client
        self._pace = Pace(0, 1)
        self._is_cut_off = False
        self._received = self._sent = 0
        self._waited_s = {select.POLLIN: 0.0, select.POLLOUT: 0.0}

    @classmethod
    def of(cls, accepted: socket.socket) -> Self:
        """Take the connection over from `accepted`, which is closed then."""
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        return cls(family, kind, protocol, fileno=accepted.detach())

    def begin(self, pace: Pace) -> None:
        """A request begins, and with it the client's time. Called before a thread has it."""
        self._pace, self.patient, self._is_cut_off = pace, True, False
        self._received = self._sent = 0
        self._waited_s = dict.fromkeys(self._waited_s, 0.0)

    # --- for the event loop, while a thread reads -------------------------------------------------

    def dawdles(self) -> bool:
        """Whether a thread spends its time with waiting for this client."""
        waited_s = self._waited_s[select.POLLIN]  # first: a wait that ends just now is forgotten, not counted twice
        since_s = self._waits_since_s
        waited_s += time.monotonic() - since_s if since_s is not None else 0.0
        return self._received < (waited_s - _DAWDLING_S) * _DAWDLING_BYTES_S

    def cut_off(self) -> None:
        """Have the thread give up on this client, in a moment.

        Without `shutdown`, which would wake it at once: what the client sends then could not be read over any more, and
        resets the connection before the client has read why.
        """
        self._is_cut_off = True

    # --- what gunicorn calls ----------------------------------------------------------------------

    def setblocking(self, flag: bool) -> None:
        self.patient = flag

    def settimeout(self, value: float | None) -> None:
        self.patient = value != 0

    def gettimeout(self) -> float | None:
        return None if self.patient else 0.0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As `socket.recv`. Raises ClientTooSlow, and BlockingIOError where it is not patient."""
        while True:
            try:
                data = super().recv(size, flags)
            except BlockingIOError:
                if not self.patient:
                    raise
                self._wait(select.POLLIN, self._received)
            else:
                if self._is_cut_off and self.patient:
                    raise ClientTooSlow
                self._received += len(data)
                return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send what the client takes at once and keep the rest; where that is much, wait as long as the pace allows."""
        left = memoryview(data)
        if not self.unsent:
            left = left[self._send_now(left) :]
        self.unsent += left
        while len(self.unsent) > HELD_BYTES:
            if sent := self._send_now(self.unsent):
                del self.unsent[:sent]
            else:
                self._wait(select.POLLOUT, max(0, self._sent - self.waiting_bytes()))

    def send_part(self, part: FilePart) -> None:
        """Send what the client takes at once of a file, and keep the rest."""
        self.part = part
        if self.unsent:
            return
        try:
            while part.left:
                part.send_to(self, HELD_BYTES)
        except BlockingIOError:
            return
        self.drop_part()

    @property
    def has_unsent(self) -> bool:
        """Whether the client has not been given all of its answer."""
        return bool(self.unsent) or self.part is not None

    def waiting_bytes(self) -> int:
        """How much of what was sent the client has not taken yet; the kernel may keep megabytes. 0 where unknown."""
        if sys.platform != "linux":
            return 0
        return int.from_bytes(fcntl.ioctl(self, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def drop_part(self) -> None:
        part, self.part = self.part, None
        if part:
            part.close()

    def close(self) -> None:
        self.drop_part()
        super().close()

    def _send_now(self, data: "memoryview | bytearray") -> int:
        try:
            sent = self.send(data)
        except BlockingIOError:
            return 0
        self._sent += sent
        return sent

    def _wait(self, event: int, moved_bytes: int) -> None:
        """Wait until the client sends or takes. Raises ClientTooSlow at the end of what it may take."""
        poll = select.poll()
        poll.register(self, event)
        is_reading = event == select.POLLIN
        now_s = began_s = time.monotonic()
        until_s = began_s + self._pace.allowed_s(moved_bytes) - self._waited_s[event]
        self._waits_since_s = began_s if is_reading else None
        try:
            while now_s < until_s and not (is_reading and self._is_cut_off):
                if poll.poll(1000 * min(until_s - now_s, _LOOKS_UP_S)):
                    return
                now_s = time.monotonic()
            raise ClientTooSlow
        finally:
            self._waits_since_s = None
            self._waited_s[event] += time.monotonic() - began_s
