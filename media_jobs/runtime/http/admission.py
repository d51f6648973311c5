"""Which requests get a thread, and when: those that stream a body may not have all of them."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Threads that no upload gets.
RESERVED_THREADS = 8
#: How long an upload waits for one of the others to end before it is refused, and how many do.
LINE_S = 10.0
LINE_LENGTH = 128
#: So many uploads at once leave memory behind that is worth returning.
CROWD = 8


@dataclass(eq=False, slots=True)
class _Waiting:
    connection: Any
    is_quick: bool
    start: Callable[[], None]
    refuse: Callable[[], None]
    until_s: float


class Admission:
    """Places for streaming requests: all but RESERVED_THREADS, of which slow clients get half.

    Whoever finds none waits in line for LINE_S, and those that dawdle are cut off meanwhile. On the event loop alone.
    """

    def __init__(self, threads: int) -> None:
        self.places = max(threads - RESERVED_THREADS, threads // 2, 1)
        self._slow_places = max(self.places // 2, 1)
        self._streaming: dict[Any, bool] = {}  # by connection: whether it is quick
        self._line: dict[Any, _Waiting] = {}  # first come, first served
        self._most_at_once = 0  # since last there was none

    def ask(self, connection: Any, *, is_quick: bool, start: Callable[[], None], refuse: Callable[[], None]) -> bool:
        """Call `start` as soon as there is a place, or `refuse` after a vain wait. Whether the connection waits now."""
        if self._has_place(is_quick):
            self._admit(connection, is_quick, start)
        elif len(self._line) < LINE_LENGTH:
            self._line[connection] = _Waiting(connection, is_quick, start, refuse, time.monotonic() + LINE_S)
            self._cut_off_who_dawdles()
            return True
        else:
            refuse()
        return False

    def leave_line(self, connection: Any) -> None:
        """It needs no place any more, or its client has gone."""
        self._line.pop(connection, None)

    def ended(self, connection: Any) -> bool:
        """The request of this connection is over, whether it had a place or not. Whether a crowd has gone with it."""
        if self._streaming.pop(connection, None) is None:
            return False
        self._let_in()
        if self._streaming:
            return False
        was_crowd, self._most_at_once = self._most_at_once >= CROWD, 0
        return was_crowd

    def expire(self, *, at_once: bool = False) -> None:
        """Refuse who has waited for too long, or all who wait."""
        now_s = time.monotonic()
        for waiting in list(self._line.values()):
            if at_once or waiting.until_s <= now_s:
                del self._line[waiting.connection]
                waiting.refuse()
        if self._line:
            self._cut_off_who_dawdles()

    def _has_place(self, is_quick: bool) -> bool:
        if len(self._streaming) >= self.places:
            return False
        return is_quick or sum(not quick for quick in self._streaming.values()) < self._slow_places

    def _admit(self, connection: Any, is_quick: bool, start: Callable[[], None]) -> None:
        self._streaming[connection] = is_quick
        self._most_at_once = max(self._most_at_once, len(self._streaming))
        start()

    def _let_in(self) -> None:
        """Give what is free to the first in line who may have it."""
        for waiting in list(self._line.values()):
            if self._has_place(waiting.is_quick):
                del self._line[waiting.connection]
                self._admit(waiting.connection, waiting.is_quick, waiting.start)

    def _cut_off_who_dawdles(self) -> None:
        """As many as wait in line: what that frees is given out when their requests have ended."""
        dawdling = (connection for connection in self._streaming if connection.sock.dawdles())
        for connection in itertools.islice(dawdling, len(self._line)):
            connection.sock.cut_off()
