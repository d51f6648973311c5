"""The bytes as they came."""

from django.db import models

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.states import OriginalState


class Original(models.Model):
    """An uploaded file. Never changed, never public. Its row exists before its object, so a row names every orphan."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(max_length=16, choices=choices(OriginalState), default=OriginalState.PENDING)
    owner = models.CharField(max_length=255, help_text="Who uploaded it.")
    filename = models.CharField(max_length=255, blank=True, help_text="The name that the uploader's file had.")
    format = models.CharField(max_length=16, help_text="What the first bytes say.")
    content_type = models.CharField(max_length=64)
    key = models.CharField(max_length=255, unique=True, help_text="Where the storage has it.")
    size_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    width_px = models.PositiveIntegerField(null=True, blank=True, help_text="As displayed, after rotation.")
    height_px = models.PositiveIntegerField(null=True, blank=True, help_text="As displayed, after rotation.")
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            only_known("state", OriginalState, "original_state_known"),
            models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="original_size_not_negative"),
            models.CheckConstraint(
                condition=~models.Q(state=OriginalState.ACTIVE) | (models.Q(size_bytes__gt=0) & ~models.Q(sha256="")),
                name="original_active_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="original_state_age"),
            models.Index(fields=["owner", "-id"], name="original_owner_newest"),
        ]

    def __str__(self) -> str:
        return self.filename or str(self.id)
