"""Runs calls of a storage in threads of their own, so that the caller goes on with its heartbeat meanwhile."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue

from media_jobs.adapters import throttle
from media_jobs.ports import Heartbeat


class CancelledError(BaseException):
    """Ends a call that nobody wants any more. botocore would take an Exception for the network's, and try again."""


class Cancellation:
    """Whether some calls are still wanted; shared by the thread that wants them and those that make them."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    def check(self) -> None:
        """Raise CancelledError once cancelled."""
        if self._cancelled.is_set():
            raise CancelledError

    def sleep(self, seconds: float) -> None:
        """Wait. Raises CancelledError as soon as it is cancelled."""
        if self._cancelled.wait(seconds):
            raise CancelledError


#: Checks its Cancellation as often as it can.
Call = Callable[[Cancellation], None]


def run_with_heartbeat(heartbeat: Heartbeat, calls: Sequence[Call], *, at_once: int = 1, detach: bool = False) -> None:
    """Make `calls`, up to `at_once` at the same time, and call `heartbeat` in this thread meanwhile.

    Returns once each has returned. Raises what the first that fails raises, or what comes up in this thread, be it by
    its heartbeat or by a signal: then no further call begins, and those under way are cancelled and have ended.
    detach: leave them to end by themselves instead; only for calls whose late end does no harm.
    """
    throttled_heartbeat = throttle.throttled(heartbeat)
    throttled_heartbeat()
    threads = _Threads(calls)
    try:
        threads.start(min(at_once, len(calls)))
        while not threads.is_done():
            threads.wait(throttle.INTERVAL_S)
            throttled_heartbeat()
    finally:
        threads.cancellation.cancel()
        if not detach:
            threads.wait_for_those_under_way()
    threads.raise_first_error()


def run_while_they_move(heartbeat: Heartbeat, calls: Sequence[Callable[[Heartbeat], None]], *, at_once: int) -> None:
    """As `run_with_heartbeat`, but `heartbeat` goes on only as long as `calls` do.

    Each is given a heartbeat of its own, to be called whenever it gets on, which touches nothing of the caller's. Once
    none gets on, the caller is silent, as if it had made them itself: whoever waits for its heartbeat may take over.
    """
    moved = threading.Event()
    moved.set()

    def heartbeat_if_moved() -> None:
        if moved.is_set():
            moved.clear()
            heartbeat()

    def move(cancellation: Cancellation) -> None:
        moved.set()
        cancellation.check()

    def run(call: Callable[[Heartbeat], None], cancellation: Cancellation) -> None:
        call(partial(move, cancellation))

    run_with_heartbeat(heartbeat_if_moved, [partial(run, call) for call in calls], at_once=at_once)


class _Threads:
    """Threads that make calls, each one after the other, until none is left or they are cancelled.

    They are daemons and live no longer than that: no process waits for them at its end, and none is forked with them.
    Only they change what is noted here, in single steps, since a signal may interrupt whoever waits for them anywhere.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self.cancellation = Cancellation()
        self._count = len(calls)
        self._left = deque(calls)
        self._begun: list[Call] = []
        self._ended: list[BaseException | None] = []
        self._news: SimpleQueue[None] = SimpleQueue()

    def start(self, threads: int) -> None:
        for _ in range(threads):  # each with what is logged of the job
            threading.Thread(target=copy_context().run, args=(self._work,), name="storage", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until a call ends, or for so long."""
        try:
            self._news.get(timeout=seconds)
        except Empty:
            return

    def is_done(self) -> bool:
        """Whether all have ended well, or one has not."""
        return len(self._ended) == self._count or any(self._ended)

    def wait_for_those_under_way(self) -> None:
        """Wait after a cancellation. A call that is noted as begun only after this looked is never made."""
        interruption: BaseException | None = None
        while True:
            try:
                while len(self._ended) < len(self._begun):
                    self.wait(throttle.INTERVAL_S)
                break
            except BaseException as error:  # noqa: BLE001  (raised as soon as it may be)
                interruption = error
        if interruption:
            raise interruption

    def raise_first_error(self) -> None:
        for error in self._ended:
            if error and not isinstance(error, CancelledError):
                raise error

    def _work(self) -> None:
        while True:
            try:
                call = self._left.popleft()
            except IndexError:
                return
            self._begun.append(call)
            error: BaseException | None = None
            try:
                self.cancellation.check()
                call(self.cancellation)
            except BaseException as raised:  # noqa: BLE001  (raised again where the call was wanted)
                error = raised
            self._ended.append(error)
            if error:  # noted before any that ends because of it
                self.cancellation.cancel()
            self._news.put(None)
