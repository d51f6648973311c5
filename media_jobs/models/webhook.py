"""Who is told of events by HTTP, and what became of each telling."""

from datetime import datetime
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.states import DeliveryState, WebhookEvent


class WebhookEndpoint(models.Model):
    """An address that gets the events of its owner's jobs, signed with its secret.

    After a rotation the former secret signs beside the new one until `previous_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.CharField(max_length=255, help_text="Whose jobs it is told of: a caller, such as key:web.")
    url = models.CharField("address", max_length=2000, help_text="Where events are posted to.")
    event_types = models.JSONField(help_text="Which events are sent.")
    secret = models.CharField(max_length=100, editable=False)
    previous_secret = models.CharField(max_length=100, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    # An `event_log.EventCursor`: older events are none of its business.
    after_transaction = models.BigIntegerField(default=0, editable=False)
    after_event = models.BigIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="Failed attempts since the last good.")
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "webhook"
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="") | (~Q(disabled_at=None) & ~Q(disabled_reason="")),
                name="webhook_disabled_has_reason",
            ),
            models.CheckConstraint(condition=~Q(secret=""), name="webhook_has_secret"),  # nosec B106 # an empty one is refused
        ]
        indexes = [models.Index(fields=["owner"], name="webhook_owner")]
        permissions = [("test_webhookendpoint", "Can send a test event to a webhook")]

    def __str__(self) -> str:
        """What of the address names the receiver; the rest may hold a key of its own."""
        parts = urlsplit(self.url)
        return f"{parts.netloc}{parts.path}"

    def secrets(self, at: datetime) -> list[str]:
        """Return those that sign at that time, the new one first."""
        both = bool(self.previous_secret and self.previous_until and self.previous_until > at)
        return [self.secret, self.previous_secret] if both else [self.secret]


class WebhookDelivery(models.Model):
    """One event on its way to one webhook; the payload stays as it was first sent.

    Whoever sends it holds it by `attempts` until `lease_until` on the database's clock.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", verbose_name="webhook"
    )
    message_id = models.CharField(max_length=64, help_text="The header webhook-id: the same however often it is sent.")
    type = models.CharField(max_length=32, choices=choices(WebhookEvent))
    # Not foreign keys: the log outlives jobs and their histories.
    job_id = models.UUIDField(null=True, blank=True)
    event_number = models.PositiveIntegerField(null=True, blank=True)
    payload = models.TextField()
    state = models.CharField(max_length=16, choices=choices(DeliveryState), default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempts_before = models.PositiveSmallIntegerField(default=0, help_text="Attempts before the last replay.")
    next_at = models.DateTimeField(null=True, blank=True, db_default=Now(), help_text="When it is sent next.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="The receiver's Retry-After.")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Somebody is sending it until then.")
    # Of the last attempt.
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = models.TextField(blank=True, help_text="Its beginning.")
    response_ms = models.PositiveIntegerField(null=True, blank=True)
    code = models.CharField(max_length=32, blank=True, help_text="Why it failed, for machines.")
    detail = models.TextField(blank=True, help_text="Why it failed, for people.")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            only_known("state", DeliveryState, "delivery_state_known"),
            models.UniqueConstraint(fields=["endpoint", "message_id"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.PENDING, next_at__isnull=False)
                | (~Q(state=DeliveryState.PENDING) & Q(next_at=None)),
                name="delivery_pending_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "next_at"], condition=Q(state=DeliveryState.PENDING), name="delivery_due"),
            models.Index(fields=["endpoint", "-id"], name="delivery_newest"),
            models.Index(fields=["state", "-id"], name="delivery_state_newest"),
            models.Index(fields=["job_id"], name="delivery_job"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]
        permissions = [("replay_webhookdelivery", "Can send webhook deliveries again")]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"


class WebhookCursor(models.Model):
    """The event that was last turned into deliveries, as an `event_log.EventCursor`. One row, or none yet."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    transaction_id = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="webhook_cursor_is_one")]

    def __str__(self) -> str:
        return f"{self.transaction_id}-{self.event_id}"
