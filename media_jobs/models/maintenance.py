"""Rows of housekeeping: objects to delete, and its tasks."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Tombstone(models.Model):
    """An object that no row names any more, and that therefore is to be deleted.

    With `deleting` that happens at this moment: nothing may be stored under its key. Without, it was found in the
    storage, and stays for a while, should a row name it after all.
    """

    key = models.CharField(max_length=255, primary_key=True)
    deleting = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["deleting", "created_at"], name="tombstone_age")]

    def __str__(self) -> str:
        return self.key


class MaintenanceTask(models.Model):
    """One task of housekeeping: who holds its lease, and what came of its last run."""

    name = models.CharField(max_length=32, primary_key=True)
    worker = models.CharField(max_length=255, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    repaired = models.PositiveIntegerField(default=0, help_text="How many things, the last time.")
    duration_ms = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, help_text="Why the last time ended early.")
    progress = models.JSONField(
        default=dict, blank=True, editable=False, help_text="Where the next run goes on, if the last one found no end."
    )

    class Meta:
        verbose_name = "housekeeping task"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Installation(models.Model):
    """This database, as distinct from others that share a Redis with it, and from copies of it. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    uuid = models.UUIDField(default=uuid4)
    probed_at = models.DateTimeField(null=True, help_text="When it was last tried whether the database can be written.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_is_one")]

    def __str__(self) -> str:
        return str(self.uuid)
