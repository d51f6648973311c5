"""What a preset that is being edited would make of one picture."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.original import Original
from media_jobs.states import PreviewState


class PresetPreview(models.Model):
    """Sizes that nobody has saved, and what they make. Its files are of a temporary kind: no row of theirs names them,
    so housekeeping removes them as it removes orphans.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    original = models.ForeignKey(Original, on_delete=models.CASCADE, related_name="previews")
    owner = models.CharField(max_length=255, help_text="Who asked for it.")
    sizes = models.JSONField(help_text="Fields of renditions.")
    state = models.CharField(max_length=16, choices=choices(PreviewState), default=PreviewState.QUEUED)
    made = models.JSONField(default=list, blank=True, help_text="Of each size: name, key, pixels, bytes.")
    detail = models.TextField(blank=True, help_text="Why it failed, for people.")
    created_at = models.DateTimeField(db_default=Now())
    taken_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "preview"
        constraints = [only_known("state", PreviewState, "preview_state_known")]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["queued", "working"]), name="preview_to_do"),
            models.Index(fields=["created_at"], name="preview_age"),
        ]

    def __str__(self) -> str:
        return str(self.id)
