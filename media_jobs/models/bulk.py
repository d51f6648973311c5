"""One thing that is done to many pictures, and what became of each."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.original import Original
from media_jobs.states import BulkItemState, BulkKind, BulkState


class BulkAction(models.Model):
    """The set is frozen when it is shown; a worker with a moment goes on with it, by `lease_until`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=choices(BulkKind))
    owner = models.CharField(max_length=255, help_text="Who asked for it.")
    chosen_by = models.JSONField(default=dict, blank=True, help_text="The filter; empty: ticked one by one.")
    params = models.JSONField(default=dict, blank=True, help_text="What is done: tags, rights.")
    state = models.CharField(max_length=16, choices=choices(BulkState), default=BulkState.DRAFT)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=255, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "bulk action"
        constraints = [
            only_known("kind", BulkKind, "bulk_kind_known"),
            only_known("state", BulkState, "bulk_state_known"),
            models.CheckConstraint(
                condition=Q(total__gte=F("done") + F("skipped") + F("failed")), name="bulk_counts_fit"
            ),
        ]
        indexes = [models.Index(fields=["state"], condition=Q(state=BulkState.RUNNING), name="bulk_running")]

    def __str__(self) -> str:
        return f"{self.kind} {self.total:,} pictures"

    @property
    def over(self) -> int:
        """How many pictures are over."""
        return self.done + self.skipped + self.failed


class BulkItem(models.Model):
    """One picture of it."""

    id = models.BigAutoField(primary_key=True)
    action = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="items", db_index=False)
    original = models.ForeignKey(Original, on_delete=models.CASCADE, related_name="bulk_items")
    state = models.CharField(
        max_length=16, choices=choices(BulkItemState), default=BulkItemState.TODO, db_default=BulkItemState.TODO.value
    )
    detail = models.TextField(blank=True, default="", db_default="", help_text="Why it failed.")

    class Meta:
        constraints = [
            only_known("state", BulkItemState, "bulk_item_state_known"),
            models.UniqueConstraint(fields=["action", "original"], name="bulk_item_once"),
        ]
        indexes = [models.Index(fields=["action", "state", "id"], name="bulk_item_by_state")]

    def __str__(self) -> str:
        return f"{self.original_id} {self.state}"
