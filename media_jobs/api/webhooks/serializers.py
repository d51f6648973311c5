"""What /v1/webhooks answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from media_jobs.api.webhooks.fields import SUBSCRIBABLE
from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.states import DeliveryState, WebhookEvent

_ONCE = "Signs what is sent (Standard Webhooks). It is shown in this answer and never again."


class WebhookSerializer(serializers.Serializer[WebhookEndpoint]):
    """A webhook, without its secret."""

    webhookId = serializers.UUIDField(source="pk")  # noqa: N815  (the wire's spelling)
    url = serializers.CharField()
    eventTypes = serializers.ListField(  # noqa: N815
        child=serializers.ChoiceField(choices=SUBSCRIBABLE), source="event_types"
    )
    enabled = serializers.SerializerMethodField()
    disabledReason = serializers.SerializerMethodField()  # noqa: N815
    failingSince = serializers.DateTimeField(  # noqa: N815
        source="failing_since", allow_null=True, help_text="Since when nothing has been taken; null: it works."
    )
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815

    def get_enabled(self, endpoint: WebhookEndpoint) -> bool:
        return endpoint.disabled_at is None

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="Why nothing is sent, for people."))
    def get_disabledReason(self, endpoint: WebhookEndpoint) -> Any:  # noqa: N802
        return endpoint.disabled_reason or None


class CreatedWebhookSerializer(WebhookSerializer):
    """A new webhook with its secret."""

    secret = serializers.CharField(help_text=_ONCE)


class WebhooksSerializer(serializers.Serializer[Any]):
    webhooks = WebhookSerializer(many=True)


class RotatedSerializer(serializers.Serializer[WebhookEndpoint]):
    """A new secret, and how long the former one signs beside it."""

    secret = serializers.CharField(help_text=_ONCE)
    previousValidUntil = serializers.DateTimeField(source="previous_until")  # noqa: N815


class DeliverySerializer(serializers.Serializer[WebhookDelivery]):
    """One event on its way to a webhook, and the last attempt."""

    deliveryId = serializers.UUIDField(source="pk")  # noqa: N815
    messageId = serializers.CharField(source="message_id", help_text="The header `webhook-id`.")  # noqa: N815
    type = serializers.ChoiceField(choices=[told.value for told in WebhookEvent])
    jobId = serializers.UUIDField(source="job_id", allow_null=True, help_text="Null for what is of no job.")  # noqa: N815
    eventNumber = serializers.IntegerField(source="event_number", allow_null=True)  # noqa: N815
    state = serializers.ChoiceField(choices=[state.value for state in DeliveryState])
    attempts = serializers.IntegerField()
    nextAt = serializers.DateTimeField(source="next_at", allow_null=True)  # noqa: N815
    responseStatus = serializers.IntegerField(source="response_status", allow_null=True)  # noqa: N815
    responseMs = serializers.IntegerField(source="response_ms", allow_null=True)  # noqa: N815
    code = serializers.CharField(help_text="Why the last attempt failed, for machines; empty where it did not.")
    detail = serializers.CharField(help_text="Why the last attempt failed, for people.")
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    endedAt = serializers.DateTimeField(source="ended_at", allow_null=True)  # noqa: N815


class DeliveriesSerializer(serializers.Serializer[Any]):
    """A page of deliveries, newest first."""

    deliveries = DeliverySerializer(many=True)
    next = serializers.UUIDField(allow_null=True, help_text="`before` of the next page; null: this is the last one.")


class ReplayedSerializer(serializers.Serializer[None]):
    replayed = serializers.IntegerField(help_text="How many are sent again.")
