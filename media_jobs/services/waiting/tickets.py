"""Tickets: how a browser's EventSource, which cannot send headers, says for whom it listens."""

import hashlib
import secrets
from dataclasses import fields
from datetime import timedelta
from typing import Any

from media_jobs.callers import Caller, CallerKind
from media_jobs.errors import TicketInvalid
from media_jobs.models import EventTicket
from media_jobs.services.jobs.transitions import from_now

LIFETIME_S = 60
#: Older ones are removed when a new one is issued, so many at a time.
_SWEPT = 100


def issue(caller: Caller) -> str:
    """Return a ticket with which `caller` can be recognised once, within LIFETIME_S. Only its hash is kept."""
    used_up = EventTicket.objects.filter(created_at__lte=_oldest()).order_by("created_at").values("pk")[:_SWEPT]
    EventTicket.objects.filter(pk__in=list(used_up.values_list("pk", flat=True))).delete()
    ticket = secrets.token_urlsafe(32)
    EventTicket.objects.create(digest=_digest(ticket), caller=_written(caller))
    return ticket


def redeem(ticket: str) -> Caller:
    """Return who asked for the ticket, which is used up with this. Raises TicketInvalid."""
    mine = EventTicket.objects.filter(digest=_digest(ticket), created_at__gt=_oldest())
    found = mine.first()
    if found is None or not mine.filter(pk=found.pk).delete()[0]:  # somebody else was quicker
        raise TicketInvalid
    return _read(found.caller)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def _oldest() -> Any:
    return from_now(-timedelta(seconds=LIFETIME_S).total_seconds())


def _written(caller: Caller) -> dict[str, Any]:
    """All of the caller as JSON; what is a set as a sorted list."""
    values = {field.name: getattr(caller, field.name) for field in fields(caller)}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def _read(written: dict[str, Any]) -> Caller:
    values: dict[str, Any] = {name: frozenset(v) if isinstance(v, list) else v for name, v in written.items()}
    values["kind"] = CallerKind(values["kind"])
    return Caller(**values)
