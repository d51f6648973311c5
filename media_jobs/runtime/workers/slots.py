"""Slots that do jobs, those that end are started again, and what is done once for all of them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.conf import settings
from django.db import connections

from media_jobs.adapters import database, queue
from media_jobs.errors import WorkspaceUnavailable
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

#: So often what is due is asked for, and slots that have ended are noticed.
_LOOK_EVERY_S = 0.5
#: So often the database is asked for at the start, where it is away.
_ASK_AGAIN_S = 5.0
#: A second signal comes later than this; a terminal and a master may both send the first.
_ONE_SIGNAL_S = 1.0
#: So long slots may take beside their jobs to end: the rest of the 25 s that a worker has.
_LEAVE_WITHIN_S = 4.0
_JOIN_S = 0.05
#: A slot that ends by itself begins again after so long; all end where slots did so too often in a row.
_SLOT_PAUSE_S = 1.0
_MOST_FAILURES = 5
_FORGIVEN_AFTER_S = 60.0


class Slots:
    """So many slots. One thread keeps them, starts those again that ended by a bug, and does what is due meanwhile:
    housekeeping, runs, saying that the workers live. Signal handlers, and other threads, may tell them to stop.
    """

    def __init__(self, count: int) -> None:
        self._schedule = TaskSchedule(
            notify=dispatch.top_up, drive_runs=_drive_all, report=lambda: presence.report(self.workers())
        )
        self._slots: list[Slot] = []
        self.count = count
        self._failures: list[float] = []
        self._stopped_at_s: float | None = None
        #: Never set: signals interrupt who waits for it, also under libfaketime, where `time.sleep` fails.
        self._pause = threading.Event()

    @property
    def stopping(self) -> bool:
        return self._stopped_at_s is not None

    def workers(self) -> list[Worker]:
        """Those of its slots."""
        return [slot.worker for slot in self._slots]

    def keep(self) -> None:
        """Start them, and keep them until they are told to stop; `end` waits for them.

        Raises SystemExit where they end again and again, or cannot be started.
        """
        self._wait_for_database()
        self._start()
        while not self.stopping:
            self._look_after_slots()
            self._do_what_is_due()

    def stop(self, *, at_once: bool = False) -> bool:
        """Tell them to stop; whether that was news. The first time jobs in hand may end in time; the second time,
        or at once, they are handed back. For signal handlers, too.
        """
        now = time.monotonic()
        if self._stopped_at_s is not None and now - self._stopped_at_s <= _ONE_SIGNAL_S and not at_once:
            return False
        within_s = FINISH_WITHIN_S if self._stopped_at_s is None and not at_once else 0.0
        if self._stopped_at_s is None:
            self._stopped_at_s = now
        for worker in self.workers():
            worker.stop(within_s=within_s)
        return True

    def end(self) -> None:
        """Wait until all have ended, or as long as that may take. What is left ends with the process."""
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
        slots = [Slot(number, suspects_outage=suspects_outage) for number in range(1, self.count + 1)]
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
        """Whatever goes wrong here, jobs go on."""
        try:
            self._schedule.run_due_tasks()
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
        except Exception:
            log.exception("due_tasks_failed")
        self._sleep(_LOOK_EVERY_S)

    def _sleep(self, seconds: float) -> None:
        """Sleep, or shorter when told to stop."""
        until_s = time.monotonic() + seconds
        while not self.stopping and (left_s := until_s - time.monotonic()) > 0:
            self._pause.wait(min(left_s, _LOOK_EVERY_S))


@contextmanager
def what_goes_with(slots: Slots) -> Iterator[None]:
    """What a process with slots does in further threads, until they stop: webhooks, and messages to NATS."""
    sender = WebhookSender(lambda: slots.stopping)
    sender.start()
    relay = _nats_relay(slots)
    try:
        yield
    finally:
        sender.stop()
        if relay:
            relay.stop()


def _drive_all() -> None:
    """Give what is done to many pictures its turn."""
    driving.drive_all(driving.name())
    bulk.drive_all(bulk.name())


def _nats_relay(slots: Slots) -> Any:
    """Start publishing to NATS, where there is one."""
    if not settings.NATS_URI:
        return None
    from media_jobs.runtime.nats_relay import NatsRelay  # noqa: PLC0415  (a client that few need)

    relay = NatsRelay(settings.NATS_URI, Worker().id, lambda: slots.stopping)
    relay.start()
    return relay
