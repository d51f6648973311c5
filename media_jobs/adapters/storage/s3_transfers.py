"""Calls of S3 in threads of their own, so that who waits for them can go on beating while one of them hangs."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from queue import Empty, SimpleQueue

from media_jobs.adapters import pace
from media_jobs.ports import Heartbeat


class HaltedError(BaseException):
    """Ends a call that nobody wants any more. botocore would take an Exception for the network's, and try again."""


class Halt:
    """Whether some calls are still wanted; shared by the thread that wants them and those that make them."""

    def __init__(self) -> None:
        self._called = threading.Event()

    def call(self) -> None:
        self._called.set()

    def check(self) -> None:
        """Raises HaltedError."""
        if self._called.is_set():
            raise HaltedError

    def sleep(self, seconds: float) -> None:
        """Raises HaltedError, as soon as it is called."""
        if self._called.wait(seconds):
            raise HaltedError


#: Asks its Halt as often as it can.
Call = Callable[[Halt], None]


def beside(heartbeat: Heartbeat, calls: Sequence[Call], *, at_once: int = 1, forsake: bool = False) -> None:
    """Make `calls`, up to `at_once` at the same time, and `heartbeat` in this thread meanwhile, four times a second.

    Returns once each has returned. Raises what the first that fails raises, or what comes up in this thread, be it by
    its heartbeat or by a signal: then no further call begins, and those under way are halted and have ended. With
    `forsake` they are left to end by themselves, which only those may whose end means nothing to anybody.
    """
    tick = pace.paced(heartbeat)
    tick()
    crew = _Crew(calls)
    try:
        crew.begin(min(at_once, len(calls)))
        while not crew.is_done():
            crew.wait(pace.PACE_S)
            tick()
    finally:
        crew.halt.call()
        if not forsake:
            crew.wait_for_those_under_way()
    crew.raise_what_failed()


class _Crew:
    """Threads that make calls, each one after the other, until none is left or they are halted.

    They are daemons and live no longer than that: no process waits for them at its end, and none is forked with them.
    Only they change what is noted here, in single steps, since a signal may interrupt whoever waits for them anywhere.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self.halt = Halt()
        self._count = len(calls)
        self._left = deque(calls)
        self._begun: list[Call] = []
        self._ended: list[BaseException | None] = []
        self._news: SimpleQueue[None] = SimpleQueue()

    def begin(self, threads: int) -> None:
        for _ in range(threads):  # each with what is logged of the job
            threading.Thread(target=copy_context().run, args=(self._work,), name="s3", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Until a call ends, or for so long."""
        try:
            self._news.get(timeout=seconds)
        except Empty:
            return

    def is_done(self) -> bool:
        """Whether all have ended well, or one has not."""
        return len(self._ended) == self._count or any(self._ended)

    def wait_for_those_under_way(self) -> None:
        """Once halted: a call that is noted later than this looks is never made."""
        interruption: BaseException | None = None
        while True:
            try:
                while len(self._ended) < len(self._begun):
                    self.wait(pace.PACE_S)
                break
            except BaseException as error:  # noqa: BLE001  (raised as soon as it may be)
                interruption = error
        if interruption:
            raise interruption

    def raise_what_failed(self) -> None:
        for error in self._ended:
            if error and not isinstance(error, HaltedError):
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
                self.halt.check()
                call(self.halt)
            except BaseException as raised:  # noqa: BLE001  (raised again where the call was wanted)
                error = raised
            self._ended.append(error)
            if error:  # noted before any that ends because of it
                self.halt.call()
            self._news.put(None)
