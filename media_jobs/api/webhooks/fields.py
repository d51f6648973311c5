"""What callers of /v1/webhooks send."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from media_jobs.api.shared.bodies.field_names import checked
from media_jobs.states import TOLD_BY_DEFAULT, DeliveryState, WebhookEvent

SUBSCRIBABLE = [told.value for told in WebhookEvent if told is not WebhookEvent.TEST]
_EVENT_TYPES = (
    f"Which events are sent: {', '.join(SUBSCRIBABLE)}. Without it {', '.join(told.value for told in TOLD_BY_DEFAULT)}."
)


class _Fields(serializers.Serializer[None]):
    """Fields of which none is ignored because it is misspelt."""

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was sent, checked. Raises ValidationError, UnknownField."""
        return checked(cls, sent)


class NewWebhookSerializer(_Fields):
    """A webhook to be."""

    url = serializers.CharField(max_length=2000, help_text="Where events are posted to: https, on the public internet.")
    eventTypes = serializers.MultipleChoiceField(  # noqa: N815  (the wire's spelling)
        choices=SUBSCRIBABLE,
        source="event_types",
        required=False,
        allow_empty=False,
        help_text=_EVENT_TYPES,
    )


class WebhookChangesSerializer(_Fields):
    """What is to be different; what is absent stays."""

    url = serializers.CharField(max_length=2000, required=False)
    eventTypes = serializers.MultipleChoiceField(  # noqa: N815
        choices=SUBSCRIBABLE, source="event_types", required=False, allow_empty=False
    )
    enabled = serializers.BooleanField(
        required=False,
        help_text="true sends what waits, and all events from then on; false keeps what waits, and hears of nothing.",
    )


class SinceSerializer(_Fields):
    """Since when what failed is sent again."""

    since = serializers.DateTimeField(help_text="ISO 8601, with a zone; at most 30 days are kept.")


class DeliveryQuerySerializer(_Fields):
    """Which deliveries are listed."""

    state = serializers.ChoiceField(choices=[state.value for state in DeliveryState], required=False)
    before = serializers.UUIDField(required=False, help_text="`next` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=100, default=50)
