"""Who waits in this process."""

import threading
from collections.abc import Callable

from media_jobs.services.waiting.waits import Poll, Stream, Wait

#: Where the room stands in the environment of a WSGI request. A server that cannot park connections has none.
ENVIRON = "gallimg.waiting_room"


class WaitingRoom:
    """The waits of one process, at most `at_most`. Any thread may use it.

    tell: is called, by the listener's thread, for a poll that can be answered and a stream that has something to send.
    nudge: is called when there is a new wait to look after.
    """

    def __init__(self, at_most: int, tell: Callable[[Wait], None]) -> None:
        self._at_most, self._lock = at_most, threading.Lock()
        self._polls: set[Poll] = set()
        self._streams: set[Stream] = set()
        self.tell = tell
        self.nudge: Callable[[], None] = lambda: None
        self.is_closed = False

    def has_place(self) -> bool:
        """Whether a wait would be taken at this moment."""
        return not self.is_closed and self.count() < self._at_most

    def count(self) -> int:
        return len(self._polls) + len(self._streams)

    def add(self, wait: Wait) -> bool:
        """Take the wait in. False when the room is full, or closed because the server stops."""
        with self._lock:
            if not self.has_place():
                return False
            if isinstance(wait, Poll):
                self._polls.add(wait)
            else:
                self._streams.add(wait)
        self.nudge()
        return True

    def remove(self, wait: Wait) -> bool:
        """Forget the wait; whether it was there."""
        with self._lock:
            of_kind: set[Wait] = self._polls if isinstance(wait, Poll) else self._streams  # type: ignore[assignment]
            was_there = wait in of_kind
            of_kind.discard(wait)
        return was_there

    def polls(self) -> list[Poll]:
        with self._lock:
            return list(self._polls)

    def streams(self) -> list[Stream]:
        with self._lock:
            return list(self._streams)
