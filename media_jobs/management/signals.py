"""Ctrl-C and its kin, for commands that end what they have begun."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

#: Added to the number of the signal, it is the exit code that shells expect.
STOPPED = 128
#: Ctrl-C, `kill`, and a terminal or ssh session that goes away.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody wants the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopping_cleanly() -> Iterator[None]:
    """Raise Stopped where a signal comes within."""

    def stop(number: int, frame: object) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
