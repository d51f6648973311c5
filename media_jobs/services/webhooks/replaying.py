"""Sends again what was given up or taken already: the same payload under the same id."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from media_jobs.errors import WebhookDisabled
from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.selectors import batches
from media_jobs.services.webhooks import endpoints
from media_jobs.states import DeliveryState

_BATCH = 500


def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """Send one again, with all its attempts anew; one that waits is sent now.

    Raises WebhookDisabled, and ObjectDoesNotExist where it was deleted meanwhile, or its webhook.
    """
    with transaction.atomic():
        endpoints.held_enabled(delivery.endpoint_id)
        _replay([delivery.pk])
        delivery.refresh_from_db()
    return delivery


def replay_failed(endpoint: WebhookEndpoint, since: datetime) -> int:
    """Send again what was given up of the events since then; how many. Raises WebhookDisabled."""
    if endpoint.disabled_at:
        raise WebhookDisabled(endpoint.disabled_reason)
    return replay_all(endpoint.deliveries.filter(state=DeliveryState.FAILED, created_at__gte=since))


def replay_all(deliveries: QuerySet[WebhookDelivery]) -> int:
    """Send again those whose webhook is enabled; how many."""
    enabled = deliveries.filter(endpoint__disabled_at=None).only("pk")
    return sum(_replay([row.pk for row in page]) for page in batches(enabled, _BATCH))


def _replay(ids: list[UUID]) -> int:
    """What is being sent at this moment is left alone."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return WebhookDelivery.objects.filter(free, pk__in=ids).update(
        state=DeliveryState.PENDING,
        next_at=Now(),
        not_before=None,
        lease_until=None,
        ended_at=None,
        attempts_before=F("attempts"),
    )
