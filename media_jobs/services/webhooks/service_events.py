"""News that are of no job: written for each webhook that asks for them, in the transaction in which they happen."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.services.webhooks import payloads
from media_jobs.states import WebhookEvent


def create_deliveries(told: WebhookEvent, message_id: str, data: Mapping[str, Any]) -> int:
    """Make a delivery for each webhook of staff or of a program that asks for it; return how many. For a transaction.

    What concerns the whole service is no business of those for whom a program acts, or who come with a token.
    """
    payload = payloads.of_news(told, timezone.now(), data)
    # Locked as by whoever else makes deliveries: none of them is deleted before the transaction ends.
    enabled = WebhookEndpoint.objects.filter(disabled_at=None).order_by("pk").select_for_update(no_key=True)
    made = [
        WebhookDelivery(endpoint=endpoint, message_id=message_id, type=told, payload=payload)
        for endpoint in enabled
        if told in endpoint.event_types and _is_of_the_house(endpoint.owner)
    ]
    WebhookDelivery.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _is_of_the_house(owner: str) -> bool:
    return owner.startswith(("staff:", "key:")) and "|" not in owner
