"""What was made of an original."""

from django.db import models
from django.db.models import Q

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.job import Job
from media_jobs.models.original import Original
from media_jobs.models.presets.preset import Preset
from media_jobs.states import DerivativeState


class Derivative(models.Model):
    """One encoded file. Its row exists before its object (`pending`), so a row names what a dead worker left.

    What decided its bytes is known: the original, whose bytes never change; the rendition of that version of the
    preset; the engine; and the digests of overrides and rights.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    original = models.ForeignKey(Original, on_delete=models.CASCADE, related_name="derivatives")
    preset = models.ForeignKey(Preset, on_delete=models.PROTECT, related_name="derivatives")
    preset_name = models.SlugField(max_length=32, help_text="The same over all versions of the preset.")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="made")
    rendition = models.SlugField(max_length=32)
    state = models.CharField(max_length=16, choices=choices(DerivativeState), default=DerivativeState.PENDING)
    key = models.CharField(max_length=255, db_index=True)
    content_type = models.CharField(max_length=64)
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    engine = models.CharField(max_length=64, help_text="Name and version of what rendered it.")
    # With source, recipe and engine they decide its bytes: compared with those of the original, they tell staleness.
    overrides_digest = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="Of rotation and focal point; empty: none."
    )
    rights_digest = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="Of the embedded rights; empty: none."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey(
        Job, models.SET_NULL, null=True, blank=True, related_name="replaced", db_index=False
    )

    class Meta:
        verbose_name = "web version"
        constraints = [
            only_known("state", DerivativeState, "derivative_state_known"),
            models.UniqueConstraint(
                fields=["original", "preset_name", "rendition"],
                condition=Q(state=DerivativeState.CURRENT),
                name="derivative_one_current",
            ),
            models.CheckConstraint(
                condition=Q(width_px__gt=0, height_px__gt=0, size_bytes__gt=0), name="derivative_is_not_empty"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="derivative_state_age"),
            # What the question of staleness reads, and nothing else.
            models.Index(
                fields=["preset", "rendition", "engine", "original", "rights_digest", "overrides_digest"],
                condition=Q(state=DerivativeState.CURRENT),
                name="derivative_made_by",
            ),
            models.Index(fields=["replaced_by"], condition=Q(replaced_by__isnull=False), name="derivative_replaced_by"),
        ]

    def __str__(self) -> str:
        return f"{self.rendition} {self.width_px}×{self.height_px}"
