"""Who may listen to events without a header."""

from django.db import models
from django.db.models.functions import Now


class EventTicket(models.Model):
    """A ticket for one connection to the stream of events. Its row goes when it is used."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="sha256 of the ticket.")
    caller = models.JSONField(help_text="Whoever asked for it: a callers.Caller.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="event_ticket_age")]

    def __str__(self) -> str:
        return self.digest[:8]
