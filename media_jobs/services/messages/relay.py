"""From the history of jobs to NATS: one publisher at a time, in order, each event at least once, and after its commit.

The cursor moves only when the server has stored what was read. Events of transactions that commit late come when they
can be read (decision 019), so none is stepped over.
"""

import time
from collections.abc import Callable

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import event_log
from media_jobs.event_log import EventCursor
from media_jobs.models import NatsRelay
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.messages import told
from media_jobs.services.messages.told import Message

log = structlog.get_logger(__name__)

#: So many events are read, and published, together.
BATCH = 100
#: A publisher that was silent for so long is dead, and another takes its place.
LEASE_S = 30.0
#: It publishes nothing more once so much of its lease is over: one that was held up must not come in between.
_SAFE_S = LEASE_S / 2


def begin() -> None:
    """Have everything be told that happens from now on. Where that was begun before, it goes on from there."""
    end = event_log.horizon()
    NatsRelay.objects.get_or_create(pk=1, defaults={"transaction_id": end.transaction_id, "event_id": end.id})


class Relay:
    """What `holder`, one process of many, does of it. For one thread."""

    def __init__(self, holder: str, publish: Callable[[Message], None]) -> None:
        self._holder, self._publish = holder, publish

    def step(self) -> bool | None:
        """Publish the next events. Return whether more may be there; None where another process does it.

        Raises what the database raises, and what `publish` does: then those that were published come once more.
        """
        until_s = time.monotonic() + _SAFE_S
        if not self._acquire():
            return None
        row = NatsRelay.objects.get(pk=1)
        cursor = EventCursor(row.transaction_id, row.event_id)
        events = event_log.events_after(cursor, limit=BATCH)
        messages = told.of(events)
        last = None
        try:
            for event in events:
                for message in messages.get(event.pk, ()):
                    if time.monotonic() > until_s:
                        return True
                    self._publish(message)
                last = event
        finally:
            if last is not None and not self._advance(cursor, EventCursor.of(last)):
                log.warning("nats_relay_lost", holder=self._holder)
        return len(events) == BATCH

    def release(self) -> None:
        """Let others take over at once."""
        NatsRelay.objects.filter(pk=1, holder=self._holder).update(holder="", lease_until=None)

    def _acquire(self) -> bool:
        free = Q(holder=self._holder) | Q(lease_until=None) | Q(lease_until__lt=Now())
        held = NatsRelay.objects.filter(free, pk=1)
        if held.update(holder=self._holder, lease_until=from_now(LEASE_S)):
            return True
        if not NatsRelay.objects.exists():
            begin()
        return False

    def _advance(self, before: EventCursor, to: EventCursor) -> bool:
        mine = NatsRelay.objects.filter(
            pk=1, holder=self._holder, transaction_id=before.transaction_id, event_id=before.id
        )
        return bool(mine.update(transaction_id=to.transaction_id, event_id=to.id))
