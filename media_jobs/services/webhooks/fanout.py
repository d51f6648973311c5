"""Turns events into deliveries: one reader of all histories, with its own cursor, and one row per event and webhook."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import structlog
from django.db import transaction
from django.db.models import QuerySet

from media_jobs import event_log
from media_jobs.event_log import EventCursor
from media_jobs.models import Job, JobEvent, WebhookCursor, WebhookDelivery, WebhookEndpoint
from media_jobs.services.webhooks import payloads
from media_jobs.states import TOLD

log = structlog.get_logger(__name__)

#: So many events are read together.
BATCH = 200


def fan_out() -> int:
    """Make the deliveries of the next events; return how many events were read.

    Rows and cursor are one transaction: whoever dies has done all of it or nothing, and of two readers one waits for
    the next time.
    """
    cursor = WebhookCursor.objects.first()
    if cursor is None or not _enabled().exists() or not event_log.events_after(_place(cursor), limit=1):
        return 0
    with transaction.atomic():
        cursor = WebhookCursor.objects.select_for_update(skip_locked=True).first()
        events = event_log.events_after(_place(cursor), limit=BATCH) if cursor else []
        if not cursor or not events:
            return 0
        made = WebhookDelivery.objects.bulk_create(_deliveries(events), ignore_conflicts=True)
        move_cursor(EventCursor.of(events[-1]))
    if made:
        log.debug("webhook_events_read", events=len(events), deliveries=len(made))
    return len(events)


def move_cursor(to: EventCursor) -> None:
    WebhookCursor.objects.update_or_create(pk=1, defaults={"transaction_id": to.transaction_id, "event_id": to.id})


def interested(owner: str) -> list[str]:
    """Return the owners whose webhooks are told of jobs of `owner`.

    A key that acts for its users hears of the jobs of all of them: it could ask in the name of each.
    """
    key, of_user, _ = owner.partition("|")
    return [owner, key] if of_user and key.startswith("key:") else [owner]


def _deliveries(events: Sequence[JobEvent]) -> Iterator[WebhookDelivery]:
    told = [event for event in events if event.type in TOLD]
    jobs = Job.objects.select_related("preset").in_bulk({event.job_id for event in told})
    by_owner = _by_owner({owner for job in jobs.values() for owner in interested(job.owner)})
    for event in told:
        job = jobs.get(event.job_id)
        if job is None:  # deleted meanwhile
            continue
        wanting = [
            endpoint
            for owner in interested(job.owner)
            for endpoint in by_owner[owner]
            if TOLD[event.type] in endpoint.event_types
            and EventCursor.of(event) > EventCursor(endpoint.after_transaction, endpoint.after_event)
        ]
        if not wanting:
            continue
        payload = payloads.of_event(event, job)
        for endpoint in wanting:
            yield WebhookDelivery(
                endpoint=endpoint,
                message_id=f"{event.job_id}-{event.number}",
                type=TOLD[event.type],
                job_id=event.job_id,
                event_number=event.number,
                payload=payload,
            )


def _by_owner(owners: set[str]) -> dict[str, list[WebhookEndpoint]]:
    """Return the webhooks of each owner. None of them is deleted before the transaction ends."""
    found: dict[str, list[WebhookEndpoint]] = defaultdict(list)
    for endpoint in _enabled().filter(owner__in=owners).order_by("pk").select_for_update(no_key=True):
        found[endpoint.owner].append(endpoint)
    return found


def _enabled() -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(disabled_at=None)


def _place(cursor: WebhookCursor) -> EventCursor:
    return EventCursor(cursor.transaction_id, cursor.event_id)
