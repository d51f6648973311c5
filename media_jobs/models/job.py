"""One run of one preset over one original, and its history."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import tracing
from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.original import Original
from media_jobs.models.presets.preset import Preset
from media_jobs.states import JobState, Lane, Stage, Triage


class Job(models.Model):
    """The row is the truth about the work; Redis only wakes workers up.

    A worker holds a job by `(state=processing, worker, attempt)` until `lease_until` on the database's clock.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    original = models.ForeignKey(Original, on_delete=models.CASCADE, related_name="jobs")
    preset = models.ForeignKey(Preset, on_delete=models.PROTECT, related_name="jobs")
    wanted = models.JSONField(help_text="Names of the renditions that this run makes.")
    owner = models.CharField(max_length=255)
    run = models.ForeignKey(
        "ReprocessRun",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="jobs",
        db_index=False,
        help_text="The run that it is a part of, if any.",
    )
    limits = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text="Most bytes and pixels, and formats, by its product; the service’s own limits count, too.",
    )
    lane = models.CharField(max_length=16, choices=choices(Lane), default=Lane.INTERACTIVE)
    state = models.CharField(max_length=16, choices=choices(JobState), default=JobState.QUEUED)
    stage = models.CharField(max_length=16, choices=choices(Stage), default=Stage.WAITING)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Per cent.")
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Counted when a worker takes the job.")
    max_attempts = models.PositiveSmallIntegerField(default=3)
    worker = models.CharField(max_length=255, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    queue_position = models.BigIntegerField(
        default=0, db_default=0, help_text="The lowest of a lane is next: see transitions.next_position."
    )
    not_before = models.DateTimeField(db_default=Now(), help_text="A retry waits until then.")
    code = models.CharField(max_length=32, blank=True, help_text="Why it failed, for machines.")
    detail = models.TextField(blank=True, help_text="Why it failed, for people.")
    traceback = models.TextField(
        blank=True, default="", db_default="", help_text="Of the last bug of ours that it met; for staff only."
    )
    # What a person has decided about its failure; a retry forgets it.
    triage = models.CharField(max_length=16, choices=choices(Triage), blank=True, default="", db_default="")
    triage_note = models.TextField(blank=True, default="", db_default="", help_text="Why it was given up.")
    last_event = models.PositiveIntegerField(default=0)
    receipt = models.JSONField(
        null=True, blank=True, help_text="values.Receipt: names of what was found, kept and dropped, never values."
    )
    # Of the latest attempt that came as far as rendering, whatever became of it.
    render_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Time in the sandbox.")
    cpu_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Processor time in the sandbox.")
    peak_memory_bytes = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Resident memory of the sandbox at its highest."
    )
    # Of the attempt that made its pictures; the time in the sandbox is `render_ms`.
    fetch_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Getting the original.")
    store_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Storing what was made.")
    duration_ms = models.PositiveIntegerField(null=True, blank=True, help_text="From the claim to the end.")
    # What asked for it, so that its worker's lines of the log are found by it.
    traceparent = models.CharField(
        max_length=55,
        blank=True,
        default=tracing.traceparent,
        db_default="",
        editable=False,
        help_text="Of the request or message, as W3C Trace Context has it.",
    )
    tracestate = models.CharField(
        max_length=tracing.TRACESTATE_LENGTH,
        blank=True,
        default=tracing.tracestate,
        db_default="",
        editable=False,
        help_text="What others have added to the trace, passed on as it came.",
    )
    request_id = models.CharField(
        max_length=36,
        blank=True,
        default=tracing.request_id,
        db_default="",
        editable=False,
        help_text="As in the log, and in the answer’s X-Request-ID.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            only_known("state", JobState, "job_state_known"),
            only_known("stage", Stage, "job_stage_known"),
            only_known("lane", Lane, "job_lane_known"),
            only_known("triage", Triage, "job_triage_known"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="job_progress_is_per_cent"),
            models.CheckConstraint(
                condition=~Q(state=JobState.PROCESSING) | (Q(lease_until__isnull=False) & ~Q(worker="")),
                name="job_processing_has_lease",
            ),
            models.CheckConstraint(condition=~Q(state=JobState.FAILED) | ~Q(code=""), name="job_failed_has_code"),
        ]
        indexes = [
            # What waits and what is overdue are few among many finished ones.
            models.Index(
                fields=["lane", "queue_position", "id"], condition=Q(state=JobState.QUEUED), name="job_queue_order"
            ),
            models.Index(
                fields=["lane", "owner", "-queue_position"],
                condition=Q(state=JobState.QUEUED),
                name="job_queue_order_of_owner",
            ),
            models.Index(
                fields=["run", "queue_position", "id"],
                condition=Q(state=JobState.QUEUED, run__isnull=False),
                name="job_queue_of_run",
            ),
            models.Index(fields=["run"], condition=Q(run__isnull=False), name="job_of_run"),
            models.Index(fields=["lane", "not_before"], condition=Q(state=JobState.QUEUED), name="job_queue_oldest"),
            models.Index(fields=["lease_until"], condition=Q(state=JobState.PROCESSING), name="job_leases"),
            models.Index(fields=["state", "-id"], name="job_state_newest"),
            models.Index(fields=["finished_at"], condition=Q(state=JobState.DONE), name="job_done_at"),
            models.Index(fields=["code", "-id"], condition=Q(state=JobState.FAILED), name="job_failures"),
            models.Index(fields=["triage", "-id"], condition=Q(state=JobState.FAILED), name="job_failures_to_sort"),
        ]
        permissions = [
            ("retry_job", "Can queue failed and cancelled jobs again"),
            ("cancel_job", "Can cancel jobs that are queued or in work"),
            ("triage_job", "Can mark failures as seen or given up"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class JobEvent(models.Model):
    """One line of a job's history. Append only; `number` counts from 1 for each job, without gaps."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    type = models.CharField(max_length=32)
    actor = models.CharField(max_length=255)
    data = models.JSONField(default=dict, blank=True)
    transaction_id = models.BigIntegerField(
        null=True, editable=False, help_text="PostgreSQL's, so that readers with a cursor never skip a late commit."
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["job", "number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="event_number_once")]
        indexes = [models.Index(fields=["transaction_id", "id"], name="event_commits")]

    def __str__(self) -> str:
        return f"{self.number} {self.type}"


class EventClock(models.Model):
    """How far the numbers of transactions in JobEvent are ahead of PostgreSQL's own. One row, or none: not at all."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ahead = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="event_clock_is_one")]

    def __str__(self) -> str:
        return str(self.ahead)
