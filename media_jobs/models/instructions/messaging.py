"""What is exchanged with others by NATS: how far the relay is, which requests were taken, which could not be."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.models.base import uuid7


class NatsRelay(models.Model):
    """The event that was last published, as an `event_log.EventCursor`, and who publishes. One row, or none yet.

    The holder publishes until `lease_until`, on the database's clock.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    transaction_id = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=255, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="nats_relay_is_one")]

    def __str__(self) -> str:
        return f"{self.transaction_id}-{self.event_id}"


class ImageRequest(models.Model):
    """A request of others that became a job. Its row decides that it does so once, however often it is delivered."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    identity = models.CharField(max_length=64, unique=True, help_text="sha256 of its key and its requestId.")
    key = models.CharField(max_length=255, help_text="The object that it names.")
    owner = models.CharField(max_length=255)
    job_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.key


class DeadLetter(models.Model):
    """A message that nothing can be made of, with the reason. JetStream itself has no place for these."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.CharField(max_length=255)
    stream = models.CharField(max_length=255)
    sequence = models.PositiveBigIntegerField(help_text="Its place in the stream.")
    payload = models.TextField(help_text="Its beginning, as text.")
    digest = models.CharField(max_length=64, help_text="sha256 of the whole: a stream that was made anew counts anew.")
    size_bytes = models.PositiveIntegerField()
    deliveries = models.PositiveIntegerField(help_text="How often it came.")
    code = models.CharField(max_length=32, help_text="The reason, for machines.")
    detail = models.TextField(help_text="The reason, for people.")
    created_at = models.DateTimeField("came", db_default=Now(), db_index=True)

    class Meta:
        verbose_name = "dead letter"
        constraints = [models.UniqueConstraint(fields=["stream", "sequence", "digest"], name="dead_letter_once")]

    def __str__(self) -> str:
        return f"{self.stream} {self.sequence}: {self.code}"
