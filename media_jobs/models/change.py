"""What people changed: one line for each change."""

from django.db import models
from django.db.models.functions import Now


class Change(models.Model):
    """Who changed what, from what to what. Append only; what a job went through is in its own events."""

    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.CharField("who", max_length=255, help_text="A caller, such as staff:3.")
    action = models.CharField(max_length=64, help_text="In a word or two: rotated, deleted.")
    kind = models.CharField(max_length=64, help_text="What kind of thing: picture, preset, person.")
    object_id = models.CharField(max_length=64)
    label = models.CharField(max_length=255, blank=True, help_text="What it was called at that time.")
    before = models.JSONField(default=dict, blank=True, help_text="The former values by name.")
    after = models.JSONField(default=dict, blank=True, help_text="The new values by name.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["kind", "object_id", "-id"], name="change_of_object"),
            models.Index(fields=["actor", "-id"], name="change_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.label or self.object_id}"
