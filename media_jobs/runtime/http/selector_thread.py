"""A thread that serves many connections and waits for none of them."""

import selectors
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import structlog

from media_jobs.adapters.notices import Alarm

log = structlog.get_logger(__name__)

#: How exactly deadlines are kept.
_TIMER_S = 0.25


class Served(Protocol):
    """What stands behind a watched connection."""

    def on_ready(self) -> None:
        """The connection can be read from or written to. An exception drops it."""

    def on_timer(self, now_s: float) -> None:
        """A moment has passed."""

    def drop(self) -> None:
        """Let go of the connection at once."""


class SelectorThread(threading.Thread):
    """Watches connections and calls what stands behind each. Subclasses add to `served` and remove from it."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.served: dict[Any, Served] = {}
        self._selector = selectors.DefaultSelector()
        self._alarm = Alarm()
        self._calls: deque[Callable[[], None]] = deque()
        self._is_over = False

    def call(self, function: Callable[..., None], *given: Any) -> None:
        """Have the thread call `function`. For other threads, and for signal handlers."""
        self._calls.append(partial(function, *given))
        self._alarm.set()

    def end(self) -> None:
        """Have the thread end, and drop whoever is left."""
        self._is_over = True
        self._alarm.set()

    def watch(self, sock: Any, events: int) -> None:
        if sock in self._selector.get_map():
            self._selector.modify(sock, events)
        else:
            self._selector.register(sock, events)

    def unwatch(self, sock: Any) -> None:
        if sock in self._selector.get_map():
            self._selector.unregister(sock)

    def run(self) -> None:
        self._selector.register(self._alarm, selectors.EVENT_READ)
        next_timer_s = 0.0
        while not self._is_over:
            for key, _ in self._selector.select(_TIMER_S if self.served else None):
                if key.fileobj is not self._alarm:
                    self._guarded(key.fileobj, "on_ready")
            self._alarm.clear()
            while self._calls:
                self._calls.popleft()()
            if (now_s := time.monotonic()) >= next_timer_s:
                next_timer_s = now_s + _TIMER_S
                for sock in list(self.served):
                    self._guarded(sock, "on_timer", now_s)
        for served in list(self.served.values()):
            served.drop()
        self._selector.close()  # the alarm stays: others may still set it

    def _guarded(self, sock: Any, method: str, *given: Any) -> None:
        served = self.served.get(sock)
        if served is None:  # dropped in this very turn
            return
        try:
            getattr(served, method)(*given)
        except OSError:  # the client has gone
            served.drop()
        except Exception:
            log.exception("connection_failed", thread=self.name)
            served.drop()
