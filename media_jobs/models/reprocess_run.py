"""Many images being made again: the run, its ledger, and the engines that there were."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.original import Original
from media_jobs.models.presets.preset import Preset
from media_jobs.states import RunBy, RunItemState, RunState


class ReprocessRun(models.Model):
    """One run of a preset over a chosen set of images, which is frozen when the run is confirmed.

    The ledger is filled page by page after that, up to `last_image`; `filled_at` says that it is whole. Whoever does
    its bookkeeping holds it until `lease_until` on the database's clock.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.CharField(max_length=255, help_text="Who began it.")
    images_of = models.CharField(
        max_length=255, blank=True, help_text="Only images of this caller; empty: of all callers."
    )
    note = models.CharField(max_length=255, blank=True, help_text="What it is for, in a person's words.")
    preset = models.ForeignKey(Preset, on_delete=models.PROTECT, related_name="runs")
    wanted = models.JSONField(default=list, blank=True, help_text="Names of the renditions to make.")
    selection = models.JSONField(default=dict, blank=True, help_text="Which images: a selection.Selection.")
    by = models.CharField(max_length=16, choices=choices(RunBy), default=RunBy.WORKERS)

    state = models.CharField(max_length=16, choices=choices(RunState), default=RunState.DRAFT)
    state_since = models.DateTimeField(db_default=Now())
    code = models.CharField(max_length=32, blank=True, help_text="Why it is in this state, for machines.")
    detail = models.TextField(blank=True, help_text="Why it is in this state, for people.")
    estimate = models.JSONField(null=True, blank=True, help_text="estimating.Estimate, made before it was confirmed.")

    last_image = models.UUIDField(
        null=True, blank=True, help_text="Images that came after this one are not part of it."
    )
    filled_to = models.UUIDField(null=True, blank=True, help_text="The ledger is whole up to this image.")
    filled_at = models.DateTimeField(null=True, blank=True, help_text="When the ledger became whole.")

    rate_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Most images a minute.")
    next_at = models.DateTimeField(null=True, blank=True, help_text="The rate allows the next image then.")
    quiet_hours = models.CharField(
        max_length=11, blank=True, help_text="When nothing new is begun, as in 08:00-18:00, in the service's time zone."
    )
    throttled_until = models.DateTimeField(null=True, blank=True)
    throttle_s = models.FloatField(default=0, help_text="How long the last back-off was.")
    throttle_reason = models.CharField(max_length=32, blank=True)
    failure_limit = models.PositiveSmallIntegerField(
        default=20, help_text="Share of failures, in per cent, at which it stops and asks; 100: never."
    )
    recent_done = models.PositiveIntegerField(default=0, help_text="Of the latest images that ended.")
    recent_failed = models.PositiveIntegerField(default=0, help_text="Of the latest images that ended.")

    # The ledger's numbers, as of the last tally.
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    rolled_back = models.PositiveIntegerField(default=0)

    worker = models.CharField(max_length=255, blank=True, help_text="Who does its bookkeeping.")
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When nothing was left to do.")
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            only_known("state", RunState, "run_state_known"),
            only_known("by", RunBy, "run_by_known"),
            models.CheckConstraint(
                condition=Q(failure_limit__gte=1, failure_limit__lte=100), name="run_failure_limit_is_per_cent"
            ),
            models.CheckConstraint(
                condition=Q(total__gte=F("done") + F("skipped") + F("failed") + F("rolled_back")),
                name="run_counts_fit",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="run_owner_newest"),
            models.Index(
                fields=["state", "id"],
                condition=Q(state__in=[RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING, RunState.ROLLING_BACK]),
                name="run_active",
            ),
        ]
        permissions = [("manage_reprocessrun", "Can start, stop, accept and roll back reprocess runs")]

    def __str__(self) -> str:
        return self.note or str(self.id)

    @property
    def left(self) -> int:
        """How many images are not over, as of the last tally."""
        return self.total - self.done - self.skipped - self.failed - self.rolled_back


class RunItem(models.Model):
    """One line of a run's ledger: one image.

    What became of it is written in the transaction that ends its job. `tallied` says that the run's numbers know it.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="items", db_index=False)
    original = models.ForeignKey(Original, on_delete=models.CASCADE, related_name="run_items")
    job = models.OneToOneField("Job", models.SET_NULL, null=True, blank=True, related_name="run_item")
    state = models.CharField(max_length=16, choices=choices(RunItemState), default=RunItemState.TODO)
    code = models.CharField(max_length=32, blank=True, help_text="Why it was skipped, or why it failed.")
    before = models.JSONField(
        null=True, blank=True, help_text="ledger.Before: what a roll back needs beside the derivatives' own rows."
    )
    tallied = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            only_known("state", RunItemState, "run_item_state_known"),
            models.UniqueConstraint(fields=["run", "original"], name="run_item_once"),
            # So two runs never work on one image at a time.
            models.UniqueConstraint(
                fields=["original"], condition=Q(state=RunItemState.WORKING), name="run_item_one_at_work"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RunItemState.SKIPPED, RunItemState.FAILED]) | ~Q(code=""),
                name="run_item_has_code",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "state", "original"], name="run_item_by_state"),
            models.Index(
                fields=["run"],
                condition=Q(tallied=False)
                & Q(state__in=[RunItemState.DONE, RunItemState.SKIPPED, RunItemState.FAILED]),
                name="run_item_to_tally",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original_id} {self.state}"


class RunListedImage(models.Model):
    """An image that a run was given by its id. Most runs have none: then all images may be part of it."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ReprocessRun, on_delete=models.CASCADE, related_name="listed", db_index=False)
    image = models.UUIDField(help_text="Perhaps of no image that there is.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "image"], name="run_listed_once")]

    def __str__(self) -> str:
        return str(self.image)


class EngineVersion(models.Model):
    """A version of the imaging engine that has rendered here. The one that was seen last is the current one."""

    name = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["-seen_at"], name="engine_last_seen")]

    def __str__(self) -> str:
        return self.name
