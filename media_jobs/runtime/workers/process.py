"""A worker process: slots that do jobs, and what is done once for all of them."""

import signal
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from django.db import connections

from media_jobs.adapters import database, queue
from media_jobs.adapters.decoder.sandbox import harden_worker
from media_jobs.errors import WorkspaceUnavailable
from media_jobs.runtime.metrics_server import serve_own
from media_jobs.runtime.webhook_sender import WebhookSender
from media_jobs.runtime.workers.slot import Slot
from media_jobs.services import housekeeping
from media_jobs.services.bulk import driving as bulk
from media_jobs.services.housekeeping import TaskSchedule
from media_jobs.services.jobs import dispatch
from media_jobs.services.jobs.worker import FINISH_WITHIN_S, Worker
from media_jobs.services.metrics import presence
from media_jobs.services.runs import driving

log = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
#: So often what is due is asked for, and slots that have ended are noticed.
_LOOK_EVERY_S = 0.5
#: So often the database is asked for at the start, where it is away.
_ASK_AGAIN_S = 5.0
#: A second signal comes later than this; a terminal and a master may both send the first.
_ONE_SIGNAL_S = 1.0
#: So long slots may take beside their jobs to end: the rest of the 25 s that a worker has.
_LEAVE_WITHIN_S = 4.0
_JOIN_S = 0.05
#: A slot that ends by itself begins again after so long; the process ends where slots did so too often in a row.
_SLOT_PAUSE_S = 1.0
_MOST_FAILURES = 5
_FORGIVEN_AFTER_S = 60.0


class _Interrupted(BaseException):
    """A signal came while the main thread was busy with what can be left."""


class WorkerProcess:
    """So many slots, and the main thread, which tells them of signals, starts those again that ended by a bug, and does
    what is due meanwhile: housekeeping, runs, saying that the workers live.
    """

    def __init__(self, slots: int) -> None:
        self._schedule = TaskSchedule(
            notify=dispatch.top_up, drive_runs=_drive_all, report=lambda: presence.report(self.workers())
        )
        self._slots: list[Slot] = []
        self._count = slots
        self._failures: list[float] = []
        self._stopped_at_s: float | None = None
        #: Never set: signals interrupt who waits for it, also under libfaketime, where `time.sleep` fails.
        self._pause = threading.Event()
        self._is_interruptible = False

    @property
    def stopping(self) -> bool:
        return self._stopped_at_s is not None

    def workers(self) -> list[Worker]:
        """Those of its slots."""
        return [slot.worker for slot in self._slots]

    def run(self) -> None:
        """Work until a signal. Raises SystemExit where slots end again and again, or cannot be started."""
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        try:
            with suppress(_Interrupted):
                self._wait_for_database()
                self._start()
                while not self.stopping:
                    self._look_after_slots()
                    self._do_what_is_due()
        finally:
            self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first lets jobs in hand end in time, a second has them handed back."""
        now = time.monotonic()
        if self._stopped_at_s is None:
            self._stopped_at_s = now
            within_s = FINISH_WITHIN_S
        elif now - self._stopped_at_s > _ONE_SIGNAL_S:
            within_s = 0.0
        else:
            return
        for worker in self.workers():
            worker.stop(within_s=within_s)
        if self._is_interruptible:
            raise _Interrupted

    def _wait_for_database(self) -> None:
        """The names of the queues are known only then."""
        while not self.stopping:
            try:
                queue.worker_queues()
                return
            except database.CONNECTION_ERRORS as error:
                database.discard_connection(error)
                log.warning("paused", reason="database_unavailable")
            self._sleep(_ASK_AGAIN_S)

    def _start(self) -> None:
        suspects_outage = False
        try:
            housekeeping.sweep_workspaces()
        except WorkspaceUnavailable:
            suspects_outage = True
        slots = [Slot(number, suspects_outage=suspects_outage) for number in range(1, self._count + 1)]
        self._slots = slots
        for slot in slots:
            slot.start()

    def _look_after_slots(self) -> None:
        """Start those again that have ended without being told to."""
        for place, slot in enumerate(self._slots):
            if slot.is_alive() or self.stopping:
                continue
            presence.leave([slot.worker])
            now = time.monotonic()
            self._failures = [*(at_s for at_s in self._failures if now - at_s < _FORGIVEN_AFTER_S), now]
            if len(self._failures) >= _MOST_FAILURES:
                log.error("slots_fail", failures=len(self._failures), within_s=_FORGIVEN_AFTER_S)
                raise SystemExit(1)
            log.warning("slot_starts_again", slot=slot.number, pause_s=_SLOT_PAUSE_S)
            self._sleep(_SLOT_PAUSE_S)
            self._slots[place] = Slot(slot.number, suspects_outage=True)
            self._slots[place].start()

    def _do_what_is_due(self) -> None:
        self._is_interruptible = True
        try:
            if not self.stopping:
                self._run_due_tasks()
                self._pause.wait(_LOOK_EVERY_S)
        finally:
            self._is_interruptible = False

    def _run_due_tasks(self) -> None:
        """Whatever goes wrong here, jobs go on."""
        try:
            self._schedule.run_due_tasks()
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
        except Exception:
            log.exception("due_tasks_failed")

    def _sleep(self, seconds: float) -> None:
        self._is_interruptible = True
        try:
            if not self.stopping:
                self._pause.wait(seconds)
        finally:
            self._is_interruptible = False

    def _end(self) -> None:
        """Wait until all slots have ended, or as long as that may take. What is left ends with the process."""
        self._is_interruptible = False
        for worker in self.workers():
            worker.stop()
        while living := [slot for slot in self._slots if slot.is_alive()]:
            if time.monotonic() > max(slot.worker.hand_back_at_s for slot in living) + _LEAVE_WITHIN_S:
                log.error("slots_left_behind", slots=[slot.number for slot in living])
                break
            for slot in living:
                slot.stop()
                slot.join(_JOIN_S)
        connections.close_all()  # the signal may have come in the middle of a statement
        presence.leave(self.workers())
        connections.close_all()


def run_worker(slots: int, *, metrics_port: int = 0) -> None:
    """Work in `slots` slots until SIGTERM, SIGINT or SIGQUIT. Jobs in hand are finished within 20 s, or handed back to
    be done by another worker; at a second signal at once.

    metrics_port: where the process tells of itself; 0: nowhere. Raises SystemExit where its slots cannot be kept alive.
    """
    harden_worker()
    process = WorkerProcess(slots)
    sender = WebhookSender(lambda: process.stopping)
    sender.start()
    relay = _nats_relay(process)
    telling = serve_own(process.workers, metrics_port) if metrics_port else None
    try:
        process.run()
    finally:
        if telling:
            telling.stop()
        sender.stop()
        if relay:
            relay.stop()


def _drive_all() -> None:
    """Give what is done to many pictures its turn."""
    driving.drive_all(driving.name())
    bulk.drive_all(bulk.name())


def _nats_relay(process: WorkerProcess) -> Any:
    """Start publishing to NATS, where there is one."""
    if not settings.NATS_URI:
        return None
    from media_jobs.runtime.nats_relay import NatsRelay  # noqa: PLC0415  (a client that few need)

    relay = NatsRelay(settings.NATS_URI, Worker().id, lambda: process.stopping)
    relay.start()
    return relay
