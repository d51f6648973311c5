"""A file that its uploader stores by itself, past the web process."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.models.base import uuid7
from media_jobs.models.original import Original


class DirectUpload(models.Model):
    """What was announced, and under which key it may be stored for a while.

    Its row is there before its object and until after that, also when the image is gone by then.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.CharField(max_length=255, help_text="Who announced it.")
    filename = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=64, help_text="As announced.")
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="As announced; empty: not said.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="As announced; empty: not said.")
    key = models.CharField(max_length=255, unique=True, help_text="Where the storage has it until it is an original.")
    original = models.OneToOneField(
        Original, models.SET_NULL, null=True, blank=True, related_name="direct_upload", help_text="What became of it."
    )
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When it became an image or was given up: from then on it becomes none."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size_bytes=None) | Q(size_bytes__gt=0), name="direct_upload_not_empty"),
        ]
        indexes = [models.Index(fields=["created_at"], name="direct_upload_age")]

    def __str__(self) -> str:
        return self.filename or str(self.id)
