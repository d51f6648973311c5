"""Pieces of the pages about webhooks."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.states import DeliveryState


class StatusFilter(admin.SimpleListFilter):
    """Filters by what the list shows as status."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("working", "working"), ("failing", "failing"), ("disabled", "disabled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> QuerySet[WebhookEndpoint]:
        match self.value():
            case "working":
                return queryset.filter(disabled_at=None, failures=0)
            case "failing":
                return queryset.filter(disabled_at=None, failures__gt=0)
            case "disabled":
                return queryset.exclude(disabled_at=None)
        return queryset


def status(endpoint: WebhookEndpoint) -> SafeString:
    if endpoint.disabled_at:
        return cells.label("disabled", "danger")
    if endpoint.failures:
        return cells.label("failing", "warning")
    return cells.label("working", "success")


def name(delivery: WebhookDelivery) -> str:
    """Return type and number of its event."""
    number = f" #{delivery.event_number}" if delivery.event_number else ""
    return f"{delivery.type}{number}"


def outcome(delivery: WebhookDelivery) -> SafeString:
    """Say what the last attempt came to."""
    if delivery.code:
        return cells.failure(delivery.code, delivery.detail)
    if delivery.response_status:
        took = cells.span((delivery.response_ms or 0) / 1000)
        return format_html('{} <span class="gi-quiet">in {}</span>', delivery.response_status, took)
    return cells.NOTHING


def when(delivery: WebhookDelivery) -> SafeString:
    """Say when it ended, or is sent next."""
    if delivery.state != DeliveryState.PENDING or delivery.next_at is None:
        return cells.ago(delivery.ended_at)
    if delivery.endpoint.disabled_at:
        return format_html('<span class="gi-quiet">{}</span>', "when the webhook is enabled")
    return cells.until(delivery.next_at)


def rows(deliveries: Sequence[WebhookDelivery]) -> list[dict[str, Any]]:
    """Return what the table on a webhook's page shows."""
    return [
        {
            "delivery": delivery,
            "link": cells.link("webhookdelivery", delivery.pk, name(delivery)),
            "state": cells.state_label(delivery.state),
            "outcome": outcome(delivery),
            "when": when(delivery),
        }
        for delivery in deliveries
    ]
