"""Answers that were given, so that the same request gets the same one again."""

from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """What a caller's `Idempotency-Key` was used for. Kept for a day."""

    id = models.BigAutoField(primary_key=True)
    owner = models.CharField(max_length=255, help_text="Who sent it.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="sha256 over operation, fields and file.")
    status = models.PositiveSmallIntegerField(help_text="Of the answer.")
    answer = models.TextField(help_text="Its body, as JSON: byte for byte the same again.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key
