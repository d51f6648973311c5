"""Slots within the web process: threads beside those that answer, where a process of their own is too dear."""

import os
import signal
import threading

import structlog

from media_jobs.adapters.decoder.sandbox import harden_worker
from media_jobs.runtime.metrics_server import tell_of
from media_jobs.runtime.workers.slots import Slots, what_goes_with

log = structlog.get_logger(__name__)

#: What slots leave in the middle when they have ended, housekeeping say, may take so long. It is safe to die in.
_LEAVE_WITHIN_S = 2.0


class SlotsBesideWeb:
    """As a worker process has them. A thread keeps them; the main thread, which is the web server's, hears signals."""

    def __init__(self, count: int) -> None:
        self._slots = Slots(count)
        self._thread = threading.Thread(target=self._keep, name="slots", daemon=True)
        self._exit_code = 0

    def start(self) -> None:
        harden_worker()
        tell_of(self._slots.workers)
        self._thread.start()

    def stop(self, *, at_once: bool = False) -> None:
        """Let jobs in hand end within 20 s, or hand them back: at once, or when asked again. For signal handlers."""
        self._slots.stop(at_once=at_once)

    def end(self) -> None:
        """Wait until they have ended. Raises SystemExit where they did so by themselves, again and again."""
        if not self._slots.stopping:
            self._slots.stop()
        self._slots.end()
        self._thread.join(_LEAVE_WITHIN_S)
        if self._exit_code:
            raise SystemExit(self._exit_code)

    def _keep(self) -> None:
        log.info("slots_in_web_process", slots=self._slots.count)
        with what_goes_with(self._slots):
            try:
                self._slots.keep()
            except BaseException:  # a bug, or slots that fail again and again: the master begins anew
                log.exception("slots_failed")
                self._exit_code = 1
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                self._slots.end()
