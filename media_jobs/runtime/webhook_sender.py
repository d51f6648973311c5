"""Sends webhooks beside a worker's jobs: a thread with a rhythm of its own, and a few that wait for receivers.

A receiver may take fifteen seconds, again and again, and a picture may take minutes. So neither waits for the other:
jobs have the main thread, and deliveries these.
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from media_jobs.adapters import database
from media_jobs.services.webhooks import fanout, sending
from media_jobs.services.webhooks.sending import Claimed, Sent

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 1.0
#: So many receivers are waited for at once.
AT_ONCE = 8
#: – of one webhook.
_OF_ONE = 3
#: – of webhooks whose last attempt failed, one each: those that answer never wait for those that do not.
_FAILING_AT_ONCE = AT_ONCE // 2
#: A worker that stops ends with the attempts in hand.
_END_WITHIN_S = sending.LIMIT_S + 2


class WebhookSender:
    """Sends what is due until `stop`, or until `stopping` says so. Only its own thread asks the database."""

    def __init__(self, stopping: Callable[[], bool] = lambda: False) -> None:
        self._stopping = stopping
        self._stopped = threading.Event()
        self._in_hand: dict[Future[Sent], tuple[Claimed, bool]] = {}
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and wait for the attempts in hand."""
        self._stopped.set()
        self._thread.join(_END_WITHIN_S)

    def step(self, pool: ThreadPoolExecutor) -> bool:
        """Write down what has come back, read events, begin what is due. Return whether more events may be there.

        Raises what the database raises.
        """
        connection.close_if_unusable_or_obsolete()
        self._record_finished()
        more = fanout.fan_out() == fanout.BATCH
        self._fill(pool)
        return more

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            while not self._ends():
                if not self._try(lambda: self.step(pool)):
                    self._pause()
        while self._in_hand and self._try(self._record_finished):  # all have come back by now
            pass
        connection.close()

    def _try(self, do: Callable[[], bool]) -> bool:
        """Return what `do` returns; False where it failed. The next time may go better."""
        try:
            return do()
        except DatabaseError as error:
            database.discard_connection(error)
        except Exception:
            log.exception("webhook_sender_failed")
        return False

    def _pause(self) -> None:
        if self._in_hand:
            wait(self._in_hand, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
        else:
            self._stopped.wait(_LOOK_EVERY_S)

    def _ends(self) -> bool:
        return self._stopped.is_set() or self._stopping()

    def _record_finished(self) -> bool:
        """Return whether something had come back."""
        finished = [future for future in self._in_hand if future.done()]
        for future in finished:
            claimed, _ = self._in_hand[future]
            sending.record(claimed, future.result())
            del self._in_hand[future]  # only now: a database that is away is asked again
        return bool(finished)

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        """Begin as much as there is room for, one delivery of each webhook after the other."""
        found = sending.waiting()
        while found:
            found = [waiting for waiting in found if self._begin(pool, waiting)]

    def _begin(self, pool: ThreadPoolExecutor, waiting: sending.Waiting) -> bool:
        """Return whether something of the webhook was begun."""
        if not self._has_room(waiting) or self._ends():
            return False
        claimed = sending.claim(waiting.endpoint_id)
        if claimed is None:
            return False
        self._in_hand[pool.submit(sending.send, claimed)] = (claimed, waiting.failing)
        return True

    def _has_room(self, waiting: sending.Waiting) -> bool:
        of: Counter[UUID] = Counter(claimed.endpoint_id for claimed, _ in self._in_hand.values())
        failing = sum(failing for _, failing in self._in_hand.values())
        if len(self._in_hand) >= AT_ONCE:
            return False
        if waiting.failing:
            return of[waiting.endpoint_id] == 0 and failing < _FAILING_AT_ONCE
        return of[waiting.endpoint_id] < _OF_ONE
