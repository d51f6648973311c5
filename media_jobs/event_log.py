"""The history of all jobs as one sequence, for readers with a cursor: each event exactly once, and none missed.

Events are numbered when they are written and appear when they are committed, which is another order: a reader that
went by `id` would step over an event whose transaction took longer. On PostgreSQL they are therefore read by
transaction, and only those of transactions older than all that are still open: whatever commits later comes after.
On SQLite one transaction at a time writes, so there the ids are in the order of the commits.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

from django.db import connection, models, transaction
from django.db.models import F, Func, Max
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from media_jobs.models import EventClock, JobEvent

#: By how much a restore puts the clock forward: more transactions than any cluster counts.
_EPOCH = 2**40
_LARGEST = 2**63 - 1

_BOUNDS = """
    SELECT ahead, ahead + pg_snapshot_xmin(snapshot)::text::bigint, ahead + pg_snapshot_xmax(snapshot)::text::bigint
    FROM pg_current_snapshot() AS snapshot,
         (SELECT COALESCE(MAX(ahead), 0) AS ahead FROM media_jobs_eventclock) AS clock
"""


@dataclass(frozen=True, slots=True, order=True)
class EventCursor:
    """The event that a reader has read last. As text it is `123-456`; `EventCursor()` is before the first event."""

    transaction_id: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.transaction_id}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor that `str` turned into this text. Raises ValueError for any other text."""
        found = re.fullmatch(r"([0-9]{1,19})-([0-9]{1,19})", text)
        numbers = [int(number) for number in found.groups()] if found else []
        if not numbers or max(numbers) > _LARGEST:
            raise ValueError("This is not the place of an event.")
        return cls(*numbers)

    @classmethod
    def of(cls, event: JobEvent) -> Self:
        return cls(event.transaction_id or 0, event.pk)


class _Bounds(NamedTuple):
    """Bounds of the transactions' numbers, at this moment."""

    epoch: int  #: none that began since the last restore has a lower one
    open: int  #: all below have ended
    next: int  #: none has this one yet, or a higher one


def events_after(cursor: EventCursor, *, limit: int) -> list[JobEvent]:
    """Return at most `limit` events after `cursor`; `EventCursor.of` the last of them is the next cursor.

    A cursor from the future has read what a restored backup does not know: it continues with what came since.
    """
    return events_between(resumed(cursor), horizon(), limit=limit)


def horizon() -> EventCursor:
    """Return the cursor after all that can be read at this moment. Whatever can be read later comes after it."""
    if connection.vendor != "postgresql":
        return EventCursor(0, JobEvent.objects.aggregate(last=Max("pk"))["last"] or 0)
    return EventCursor(_bounds().open - 1, _LARGEST)


def events_between(cursor: EventCursor, until: EventCursor, *, limit: int) -> list[JobEvent]:
    """Return at most `limit` events after `cursor`, as far as `until`, a `horizon` of before."""
    if connection.vendor != "postgresql":
        return list(JobEvent.objects.filter(pk__gt=cursor.id, pk__lte=until.id).order_by("pk")[:limit])
    # One comparison of pairs: the index finds its beginning however many events one transaction wrote.
    after = TupleGreaterThan(Tuple(F("transaction_id"), F("id")), (cursor.transaction_id, cursor.id))
    settled = JobEvent.objects.filter(after, transaction_id__lte=until.transaction_id)
    return list(settled.order_by("transaction_id", "id")[:limit])


def is_settled(until: EventCursor) -> bool:
    """Whether no event is committed already that comes after the horizon `until`, because an older transaction is open.

    Nobody tells when that ends, if it writes no event itself.
    """
    if connection.vendor != "postgresql":
        return True
    return not JobEvent.objects.filter(transaction_id__gt=until.transaction_id).exists()


def resumed(cursor: EventCursor) -> EventCursor:
    """Return the cursor at which its reader continues: the same one, unless it is from the future, or from elsewhere.

    From the future: it has read what a restored backup does not know. It continues with what came since the restore;
    on SQLite, which does not know when that was, with what is still to come.
    """
    if connection.vendor != "postgresql":
        return EventCursor(0, min(cursor.id, horizon().id))
    bounds = _bounds()
    return EventCursor(bounds.epoch) if cursor.transaction_id >= bounds.next else cursor


def transaction_number() -> models.Expression | None:
    """Return what an event that is written now stores about its transaction."""
    return _Number() if connection.vendor == "postgresql" else None


class _Number(Func):
    """Plain SQL: Django takes a millisecond to compile the same from expressions, for each of many events."""

    template = "(pg_current_xact_id()::text::bigint + COALESCE((SELECT ahead FROM media_jobs_eventclock), 0))"
    output_field = models.BigIntegerField()


def after_restore() -> None:
    """Make new events come after those that are there already. Called before anything is written.

    A new PostgreSQL cluster counts its transactions from the beginning. Where a dump brought events with higher
    numbers, the clock goes forward, past all of them and past every cursor on them. Events out of a SQLite database
    have no number and come first, in the order of their ids. Does nothing in all other cases.
    """
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE media_jobs_eventclock IN SHARE ROW EXCLUSIVE MODE")
        JobEvent.objects.filter(transaction_id=None).update(transaction_id=0)
        highest = JobEvent.objects.aggregate(highest=Max("transaction_id"))["highest"] or 0
        if highest >= _bounds().next:
            ahead = (highest // _EPOCH + 1) * _EPOCH
            EventClock.objects.update_or_create(pk=1, defaults={"ahead": ahead})


def _bounds() -> _Bounds:
    with connection.cursor() as cursor:
        cursor.execute(_BOUNDS)
        return _Bounds(*cursor.fetchone())
