"""What was made of an original."""

from django.db import models
from django.db.models import Q

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.job import Job
from media_jobs.models.original import Original
from media_jobs.models.preset import Preset
from media_jobs.states import DerivativeState


class Derivative(models.Model):
    """One encoded file. Its row exists before its object (`pending`), so a row names what a dead worker left."""

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
    created_at = models.DateTimeField(auto_now_add=True)
    replaced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
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
        ]

    def __str__(self) -> str:
        return f"{self.rendition} {self.width_px}×{self.height_px}"
