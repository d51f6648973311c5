"""Connections whose requests wait: one thread keeps them all, and no thread of the pool is taken."""

import math
import random
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from media_jobs.adapters.notices import Alarm
from media_jobs.services.waiting import feed
from media_jobs.services.waiting.room import WaitingRoom
from media_jobs.services.waiting.waits import Poll, Stream, Wait

log = structlog.get_logger(__name__)

#: A stream that says nothing for so long is taken for dead by proxies, browsers and people.
HEARTBEAT_S = 15.0
#: A client that takes nothing for so long has gone.
STALL_S = 30.0
#: A stream ends after so long, give or take: its client comes again, and shows its credential again.
LIFETIME_S = 900.0
#: When the server stops, what is still to be sent has so long.
_STOP_S = 0.7
_LAST_CHUNK = b"0\r\n\r\n"
_AT_ONCE_BYTES = 65_536


@dataclass(eq=False, slots=True)
class ParkedSocket:
    """A connection and what it waits for. chunked: how its answer, if it is a stream, is framed."""

    connection: Any
    request: Any
    wait: Wait
    chunked: bool = True
    unsent: bytearray = field(default_factory=bytearray)
    sent_at_s: float = field(default_factory=time.monotonic)
    ends_at_s: float = field(default_factory=lambda: time.monotonic() + LIFETIME_S * random.uniform(0.8, 1.2))  # noqa: S311  (to spread load)
    is_ending: bool = False

    @property
    def socket(self) -> socket.socket:
        found: socket.socket = self.connection.sock
        return found

    def put(self, text: bytes) -> None:
        if text:
            self.unsent += b"%X\r\n%b\r\n" % (len(text), text) if self.chunked else text

    def end(self) -> None:
        """Nothing comes after this."""
        if not self.is_ending:
            self.is_ending = True
            self.unsent += _LAST_CHUNK if self.chunked else b""


class ParkedSockets(threading.Thread):
    """Sends streams what they have to say, notices clients that go, and hands polls back when it is time.

    resume: gets a poll's connection, to be answered by a thread of the pool. closed: is called for each connection that
    was closed here. Nothing here waits for a database or for a client.
    """

    def __init__(self, at_most: int, *, resume: Callable[[ParkedSocket], None], closed: Callable[[], None]) -> None:
        super().__init__(name="parked-sockets", daemon=True)
        self.room = WaitingRoom(at_most, self._tell)
        self._resume, self._closed = resume, closed
        self._alarm = Alarm()
        self._new: deque[ParkedSocket] = deque()
        self._told: deque[Wait] = deque()
        self._parked: dict[Wait, ParkedSocket] = {}
        self._selector = selectors.DefaultSelector()
        self._stop_at_s = math.inf
        self._is_over = False

    # --- for other threads ------------------------------------------------------------------------

    def adopt(self, parked: ParkedSocket) -> None:
        """Take a connection over. Without room for it a poll is answered at once, and a stream ends at once."""
        parked.socket.setblocking(False)
        self._new.append(parked)
        self._alarm.set()

    def stop(self) -> None:
        """Let go of everybody within a second. May be called by a signal's handler: it takes no lock."""
        self._stop_at_s = time.monotonic() + _STOP_S
        self.room.is_closed = True
        self._alarm.set()

    def end(self) -> None:
        """Have the thread end, whoever is left."""
        self._is_over = True
        self._alarm.set()

    def _tell(self, wait: Wait) -> None:
        self._told.append(wait)
        self._alarm.set()

    # --- the thread -------------------------------------------------------------------------------

    def run(self) -> None:
        self._selector.register(self._alarm, selectors.EVENT_READ)
        while not self._is_over:
            try:
                self._turn()
            except Exception:
                log.exception("parked_sockets_failed")
                time.sleep(0.1)
        self._selector.close()

    def _turn(self) -> None:
        for key, events in self._selector.select(self._pause_s()):
            if key.data is not None:
                self._on_socket(key.data, events)
        self._alarm.clear()
        while self._new:
            self._take(self._new.popleft())
        while self._told:
            if parked := self._parked.get(self._told.popleft()):
                self._on_told(parked)
        self._on_time(time.monotonic())

    def _take(self, parked: ParkedSocket) -> None:
        self._parked[parked.wait] = parked
        self._selector.register(parked.socket, selectors.EVENT_READ, parked)
        if not self.room.add(parked.wait):
            self._let_go(parked)

    def _on_told(self, parked: ParkedSocket) -> None:
        if isinstance(parked.wait, Poll):
            self._hand_back(parked)
        else:
            self._send(parked)

    def _on_socket(self, parked: ParkedSocket, events: int) -> None:
        if parked.wait not in self._parked:  # closed in this very turn
            return
        if events & selectors.EVENT_READ and not self._is_there(parked):
            return
        if events & selectors.EVENT_WRITE:
            self._send(parked)

    def _is_there(self, parked: ParkedSocket) -> bool:
        """Whether the client has not gone. What it sends early stays where it is, unread."""
        try:
            said = parked.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            said = b""
        if not said:
            self._close(parked)
            return False
        self._watch(parked, reading=False)
        return True

    def _send(self, parked: ParkedSocket) -> None:
        """Send as much as the client takes; what more the stream has to say is fetched only then."""
        try:
            while parked.unsent or self._fetch(parked):
                sent = parked.socket.send(parked.unsent[:_AT_ONCE_BYTES])
                del parked.unsent[:sent]
                parked.sent_at_s = time.monotonic()
        except BlockingIOError:
            self._watch(parked, reading=True)
        except OSError:
            self._close(parked)
        else:
            if parked.is_ending:
                self._close(parked)
            else:
                self._watch(parked, reading=True)

    def _fetch(self, parked: ParkedSocket) -> bool:
        """Whether there was anything to fetch."""
        stream = parked.wait
        if parked.is_ending or not isinstance(stream, Stream):
            return False
        was_full = stream.is_full
        parked.put(stream.take())
        if was_full:  # it was given no more
            self.room.nudge()
        return bool(parked.unsent)

    def _watch(self, parked: ParkedSocket, *, reading: bool) -> None:
        events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if parked.unsent else 0)
        watched = self._selector.get_map().get(parked.socket)
        if not events:
            if watched:
                self._selector.unregister(parked.socket)
        elif watched:
            self._selector.modify(parked.socket, events, parked)
        else:
            self._selector.register(parked.socket, events, parked)

    # --- time -------------------------------------------------------------------------------------

    def _pause_s(self) -> float:
        ends = [parked.wait.until_s for parked in self._parked.values() if isinstance(parked.wait, Poll)]
        until_s = min([*ends, self._stop_at_s, time.monotonic() + 1.0])
        return max(0.0, until_s - time.monotonic())

    def _on_time(self, now_s: float) -> None:
        for parked in list(self._parked.values()):
            if self.room.is_closed and not parked.is_ending:
                self._let_go(parked)
            elif isinstance(parked.wait, Poll):
                if now_s >= parked.wait.until_s:
                    self._hand_back(parked)
            else:
                self._keep_alive(parked, parked.wait, now_s)

    def _keep_alive(self, parked: ParkedSocket, stream: Stream, now_s: float) -> None:
        if parked.unsent:
            if now_s - parked.sent_at_s > STALL_S or now_s >= self._stop_at_s:
                self._close(parked)
        elif now_s >= parked.ends_at_s:
            self._let_go(parked)
        elif now_s - parked.sent_at_s >= HEARTBEAT_S:
            parked.put(stream.take() + feed.heartbeat(stream.cursor))
            self._send(parked)

    # --- the end ----------------------------------------------------------------------------------

    def _let_go(self, parked: ParkedSocket) -> None:
        """Answer a poll as things are, and end a stream; its client goes on elsewhere from where it was."""
        if isinstance(parked.wait, Poll):
            self._hand_back(parked)
        else:
            parked.put(parked.wait.take())
            parked.end()
            self._send(parked)

    def _hand_back(self, parked: ParkedSocket) -> None:
        self._forget(parked)
        self._resume(parked)

    def _close(self, parked: ParkedSocket) -> None:
        self._forget(parked)
        # What was written still goes out. Nothing is waited for: a client that is gone would hold all others up.
        parked.connection.close()
        self._closed()

    def _forget(self, parked: ParkedSocket) -> None:
        del self._parked[parked.wait]
        self.room.remove(parked.wait)
        if parked.socket in self._selector.get_map():
            self._selector.unregister(parked.socket)
