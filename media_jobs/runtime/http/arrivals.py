"""Connections whose next request has not arrived far enough to be worth a thread. They live on the event loop."""

import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from media_jobs.adapters.memory_left import bytes_left
from media_jobs.runtime.http import heads
from media_jobs.runtime.http.heads import Head
from media_jobs.runtime.http.pace import Limits

log = structlog.get_logger(__name__)

#: So much of a body has to be there, or all of it, before a thread reads it.
OPENING_BYTES = 65_536
#: So much of a body is read while its request waits in line for a place: one that is whole by then needs none.
IN_LINE_BYTES = 4_194_304
#: Whoever takes longer for that is slow.
_QUICK_S = 1.0
#: What all of them may have sent so far, together; of the memory that is left when they begin, at most such a share.
MOST_HELD_BYTES, _MOST_HELD_SHARE = 33_554_432, 16
_READ_BYTES = 65_536
_SWEEP_EVERY_S = 0.25


@dataclass(eq=False, slots=True)
class Arriving:
    """What has come of a connection's next request. A silent one has sent nothing yet.

    is_in_line: it may start, but for want of a place; how long it waits for that, others decide.
    """

    connection: Any
    since_s: float
    data: bytearray = field(default_factory=bytearray)
    head: Head | None = None
    head_at_s: float = 0.0
    is_watched: bool = False
    is_in_line: bool = False

    @property
    def is_quick(self) -> bool:
        """Whether body and head came as from a client that is in no trouble."""
        return time.monotonic() - self.since_s < _QUICK_S

    @property
    def is_whole(self) -> bool:
        return self.head is not None and self.head.has_whole_body(self.data)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What becomes of connections. refuse: with the code of an answer to what has arrived."""

    start: Callable[[Arriving], None]
    refuse: Callable[[Arriving, str], None]
    gone: Callable[[Any], None]


class Arrivals:
    """Reads heads and the first bytes of bodies, as they come, and gives up on clients that are too slow."""

    def __init__(self, poller: selectors.BaseSelector, limits: Limits, outcomes: Outcomes) -> None:
        self._poller, self._limits, self._outcomes = poller, limits, outcomes
        self._silent: dict[Any, Arriving] = {}  # in the order in which their time ends
        self._begun: dict[Any, Arriving] = {}
        self._held_bytes = 0
        self._most_held_bytes = min(MOST_HELD_BYTES, bytes_left() // _MOST_HELD_SHARE)
        self._next_sweep_s = 0.0
        self._closes_at_s = float("inf")

    def __len__(self) -> int:
        return len(self._silent) + len(self._begun)

    def add(self, connection: Any, already: bytes = b"") -> None:
        """Wait for the next request of a connection. already: what has been read of it."""
        arriving = Arriving(connection, time.monotonic())
        connection.sock.setblocking(False)
        (self._begun if already else self._silent)[connection] = arriving
        if already:
            self._guarded(self._append, arriving, already)
        else:
            self._read(arriving)
        if not arriving.is_watched and (connection in self._silent or self._begun.get(connection) is arriving):
            self._watch(arriving)

    def keep(self, arriving: Arriving) -> None:
        """Read on while the request waits in line; it starts by itself once it is whole."""
        arriving.is_in_line = True
        self._begun[arriving.connection] = arriving
        self._held_bytes += len(arriving.data)
        self._watch(arriving)

    def release(self, connection: Any) -> None:
        """A request that waited in line, perhaps, does so no longer."""
        if arriving := self._begun.get(connection):
            self._forget(arriving)

    def expire(self, *, at_once: bool = False) -> None:
        """Give up on clients whose time is over, or on all."""
        now_s = time.monotonic()
        if now_s < self._next_sweep_s and not at_once:
            return
        self._next_sweep_s = now_s + _SWEEP_EVERY_S
        silent_until_s = now_s - self._limits.silent_s
        while self._silent:
            arriving = next(iter(self._silent.values()))
            if arriving.since_s > silent_until_s and now_s < self._closes_at_s and not at_once:
                break
            self._leave(arriving, "")
        for arriving in list(self._begun.values()):
            if at_once or (now_s > self._deadline_s(arriving) and not arriving.is_in_line):
                self._leave(arriving, "request_timeout")

    def close_silent(self, after_s: float) -> None:
        """Give up on silent clients after so many seconds: the server stops."""
        self._closes_at_s = time.monotonic() + after_s

    def evict(self) -> bool:
        """Give up on who has been silent for the longest, else on whose request has been arriving so."""
        for waiting, code in ((self._silent, ""), (self._begun, "request_timeout")):
            if waiting:
                self._leave(next(iter(waiting.values())), code)
                return True
        return False

    def _deadline_s(self, arriving: Arriving) -> float:
        if arriving.head is None:
            return arriving.since_s + self._limits.head_s
        return arriving.head_at_s + self._limits.pace.allowed_s(len(arriving.data))

    def _on_event(self, arriving: Arriving, _sock: object) -> None:
        """An event of this turn, which may come after another one that has given the connection to somebody else."""
        if arriving.is_watched:
            self._read(arriving)

    def _read(self, arriving: Arriving) -> None:
        try:
            data = arriving.connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._guarded(self._append, arriving, data)
        else:
            self._leave(arriving, "")

    def _guarded(self, take: Callable[[Arriving, bytes], None], arriving: Arriving, data: bytes) -> None:
        """A fault with one connection ends that one, and not the event loop."""
        try:
            take(arriving, data)
        except Exception:
            log.exception("connection_failed")
            self._forget(arriving)
            self._outcomes.gone(arriving.connection)

    def _append(self, arriving: Arriving, data: bytes) -> None:
        if not arriving.data:
            arriving.since_s = time.monotonic()
            if self._silent.pop(arriving.connection, None):
                self._begun[arriving.connection] = arriving
        arriving.data += data
        self._held_bytes += len(data)
        if arriving.head is None:
            arriving.head, arriving.head_at_s = heads.look(arriving.data), time.monotonic()
        if arriving.head is None:
            if heads.is_other_protocol(arriving.data):
                self._leave(arriving, "not_http")
            elif len(arriving.data) > heads.MOST_BYTES:
                self._leave(arriving, "head_too_large")
        elif arriving.is_in_line:
            self._on_more_in_line(arriving)
        elif self._is_enough(arriving):
            self._forget(arriving)
            self._outcomes.start(arriving)
        if self._held_bytes > self._most_held_bytes and self._begun:
            self._leave(max(self._begun.values(), key=lambda other: len(other.data)), "request_timeout")

    def _on_more_in_line(self, arriving: Arriving) -> None:
        if arriving.is_whole:
            self._forget(arriving)
            self._outcomes.start(arriving)
        elif len(arriving.data) > IN_LINE_BYTES or self._held_bytes > self._most_held_bytes // 2:
            self._unwatch(arriving)  # what more it sends stays with the kernel

    @staticmethod
    def _is_enough(arriving: Arriving) -> bool:
        head = arriving.head
        assert head  # noqa: S101  (asked for behind it)
        return (
            head.expects_continue
            or head.has_whole_body(arriving.data)
            or len(arriving.data) - head.size_bytes >= OPENING_BYTES
        )

    def _leave(self, arriving: Arriving, code: str) -> None:
        self._forget(arriving)
        if code:
            self._outcomes.refuse(arriving, code)
        else:
            self._outcomes.gone(arriving.connection)

    def _forget(self, arriving: Arriving) -> None:
        self._silent.pop(arriving.connection, None)
        if self._begun.pop(arriving.connection, None):
            self._held_bytes -= len(arriving.data)
        self._unwatch(arriving)

    def _watch(self, arriving: Arriving) -> None:
        arriving.is_watched = True
        self._poller.register(arriving.connection.sock, selectors.EVENT_READ, partial(self._on_event, arriving))

    def _unwatch(self, arriving: Arriving) -> None:
        if arriving.is_watched:
            arriving.is_watched = False
            self._poller.unregister(arriving.connection.sock)
