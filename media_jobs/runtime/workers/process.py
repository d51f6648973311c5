"""A worker process: its main thread keeps slots, and takes the signals."""

import signal
from contextlib import suppress
from types import FrameType

from media_jobs.adapters.decoder.sandbox import harden_worker
from media_jobs.runtime.metrics_server import serve_own
from media_jobs.runtime.workers.slots import Slots, what_goes_with

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class _Interrupted(BaseException):
    """A signal came while the main thread was busy with what can be left."""


class WorkerProcess(Slots):
    """Slots of which signals tell the end, also in the middle of housekeeping."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self._is_interruptible = False

    def run(self) -> None:
        """Work until a signal. Raises SystemExit where slots end again and again, or cannot be started."""
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        try:
            with suppress(_Interrupted):
                self.keep()
        finally:
            self._is_interruptible = False
            self.end()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.stop() and self._is_interruptible:
            raise _Interrupted

    def _do_what_is_due(self) -> None:
        self._is_interruptible = True
        try:
            if not self.stopping:
                super()._do_what_is_due()
        finally:
            self._is_interruptible = False

    def _sleep(self, seconds: float) -> None:
        self._is_interruptible = True
        try:
            super()._sleep(seconds)
        finally:
            self._is_interruptible = False


def run_worker(slots: int, *, metrics_port: int = 0) -> None:
    """Work in `slots` slots until SIGTERM, SIGINT or SIGQUIT. Jobs in hand are finished within 20 s, or handed back to
    be done by another worker; at a second signal at once.

    metrics_port: where the process tells of itself; 0: nowhere. Raises SystemExit where its slots cannot be kept alive.
    """
    harden_worker()
    process = WorkerProcess(slots)
    with what_goes_with(process):
        telling = serve_own(process.workers, metrics_port) if metrics_port else None
        try:
            process.run()
        finally:
            if telling:
                telling.stop()
