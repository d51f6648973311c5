"""Keys by which programs call the APIs."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.callers import Scope
from media_jobs.models.base import uuid7


class ApiKey(models.Model):
    """One key; of the key itself there is only a hash. It is never deleted: what it uploaded names it as owner."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100, help_text="Which program has it.")
    prefix = models.CharField(
        max_length=8, unique=True, editable=False, help_text="The part of the key by which one tells it from others."
    )
    hash = models.CharField(max_length=64, editable=False, help_text="sha256 of the key.")
    may_upload = models.BooleanField("upload", default=True, help_text="Send pictures.")
    may_read = models.BooleanField("read", default=True, help_text="Follow its jobs, read its images and originals.")
    may_manage = models.BooleanField(
        "manage", default=False, help_text="Cancel, queue again, change and delete what is its own."
    )
    may_shadow = models.BooleanField(
        "shadow",
        default=False,
        db_default=False,
        help_text="Send what a live site makes, to be compared. Wrong shadows switch a guarded flag off.",
    )
    acts_for_users = models.BooleanField(
        "acts for users",
        default=False,
        help_text="X-User-ID says for whom it calls; what it sends for one of them is that one's alone.",
    )
    created_at = models.DateTimeField("created", db_default=Now(), editable=False)
    created_by = models.CharField(max_length=255, blank=True, editable=False)
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(may_upload=True) | Q(may_read=True) | Q(may_manage=True) | Q(may_shadow=True),
                name="api_key_may_something",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def scopes(self) -> frozenset[Scope]:
        may = {
            Scope.UPLOAD: self.may_upload,
            Scope.READ: self.may_read,
            Scope.MANAGE: self.may_manage,
            Scope.SHADOW: self.may_shadow,
        }
        return frozenset(scope for scope, allowed in may.items() if allowed)
