"""The Instrlabs words: products say what is made, and how much; instructions group files under a product."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.job import Job
from media_jobs.models.presets.preset import Preset
from media_jobs.pipeline.formats.sniff import FORMATS
from media_jobs.states import InstructionStatus, JobState

_SERVICES_OWN = "Empty: the service’s own limit alone."
_POSITIVE = [MinValueValidator(1)]


def _limit(name: str, help: str) -> "models.PositiveBigIntegerField[int | None, int | None]":
    return models.PositiveBigIntegerField(name, null=True, blank=True, validators=_POSITIVE, help_text=help)


def _days(name: str) -> "models.PositiveSmallIntegerField[int | None, int | None]":
    return models.PositiveSmallIntegerField(
        name, null=True, blank=True, validators=_POSITIVE, help_text="Then the file and all that was made of it go."
        " Empty: kept.",
    )  # fmt: skip


class Product(models.Model):
    """What callers may have made of their files: a preset, with limits, for some callers or for all."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(max_length=64, unique=True)
    preset = models.SlugField(max_length=32, help_text="The name of a preset; its current version counts.")
    active = models.BooleanField(default=True, help_text="Takes new instructions and files.")
    open_to_all = models.BooleanField("open to all", default=False, help_text="Whoever may call may use it.")
    owners = models.TextField(
        blank=True, help_text="Else: one caller a line, such as key:web. A key stands for all of its users, too."
    )
    max_bytes = _limit("most bytes of a file", _SERVICES_OWN)
    max_pixels = _limit("most pixels of a picture", _SERVICES_OWN)
    files_per_instruction = _limit("most files of an instruction", "Empty: no limit.")
    files_per_day = _limit("most files of a caller in a day", "Of UTC. Empty: no limit.")
    formats = models.JSONField(
        default=list, blank=True, help_text="Formats that are taken, such as [“jpeg”, “png”]; empty: all."
    )
    done_days = _days("days that finished files are kept")
    failed_days = _days("days that failed files are kept")
    created_at = models.DateTimeField("created", db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(max_bytes=None) | Q(max_bytes__gt=0), name="product_takes_bytes"
            ),
            models.CheckConstraint(
                condition=Q(max_pixels=None) | Q(max_pixels__gt=0), name="product_takes_pixels"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def is_open_to(self, caller: str) -> bool:
        """Whether the caller of this id may use it. A program's key opens it to the program's users."""
        program = caller.partition("|")[0] if caller.startswith("key:") else caller
        return self.active and (self.open_to_all or not {caller, program}.isdisjoint(self.owners.split()))

    def clean(self) -> None:
        if self.preset and not Preset.objects.filter(name=self.preset, current=True).exists():
            raise ValidationError({"preset": f"There is no preset “{self.preset}” with a current version."})
        listed = self.formats if isinstance(self.formats, list) else [self.formats]
        unknown = [str(name) for name in listed if name not in FORMATS]
        if unknown or not isinstance(self.formats, list):
            raise ValidationError({"formats": f"takes a list of {', '.join(sorted(FORMATS))}; got {listed}."})


def _count(state: str) -> "models.PositiveIntegerField[int, int]":
    return models.PositiveIntegerField(default=0, db_default=0, editable=False, help_text=f"Files that are {state}.")


class Instruction(models.Model):
    """Files of one caller that belong together.

    The counts are kept by triggers (`adapters.triggers`), in the transaction that changes a job; they never disagree
    with the files. `id` begins with the moment of `created_at`, so that both sort alike.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.CharField(max_length=255)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="instructions")
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField("created", editable=False)
    changed_at = models.DateTimeField("changed", db_default=Now(), editable=False)
    queued = _count(JobState.QUEUED)
    processing = _count(JobState.PROCESSING)
    done = _count(JobState.DONE)
    failed = _count(JobState.FAILED)
    cancelled = _count(JobState.CANCELLED)
    status = models.GeneratedField(
        expression=Case(
            When(processing__gt=0, then=Value(InstructionStatus.PROCESSING.value)),
            When(
                Q(queued__gt=0) & (Q(done__gt=0) | Q(failed__gt=0) | Q(cancelled__gt=0)),
                then=Value(InstructionStatus.PROCESSING.value),
            ),
            When(Q(failed__gt=0) | Q(cancelled__gt=0), then=Value(InstructionStatus.FAILED.value)),
            When(Q(queued=0) & Q(done__gt=0), then=Value(InstructionStatus.DONE.value)),
            default=Value(InstructionStatus.PENDING.value),
        ),
        output_field=models.CharField(max_length=16, choices=choices(InstructionStatus)),
        db_persist=True,
    )

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-id"], name="instruction_newest"),
            models.Index(fields=["owner", "status", "-id"], name="instruction_status_newest"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def files(self) -> int:
        return self.queued + self.processing + self.done + self.failed + self.cancelled


class InstructionDetail(models.Model):
    """One file of an instruction, and its one job.

    What is known of the job's end stays when the job goes with its file (`job` is null then: it was cleaned up). A
    trigger copies it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    instruction = models.ForeignKey(Instruction, on_delete=models.CASCADE, related_name="details")
    job = models.OneToOneField(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="instruction_detail")
    owner = models.CharField(max_length=255, help_text="The instruction’s.")
    filename = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: not checked yet.")
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    # Of the job, as the trigger copied it.
    state = models.CharField(max_length=16, choices=choices(JobState), default=JobState.QUEUED)
    code = models.CharField(max_length=32, blank=True, default="")
    problem = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [only_known("state", JobState, "detail_state_known")]
        indexes = [
            models.Index(fields=["instruction", "-id"], name="detail_newest"),
            models.Index(fields=["owner", "-id"], condition=Q(job__isnull=False), name="detail_uncleaned_of_owner"),
            models.Index(fields=["-id"], condition=Q(job__isnull=False), name="detail_uncleaned"),
            models.Index(
                fields=["state", "finished_at"], condition=Q(job__isnull=False), name="detail_ended"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.filename or str(self.id)


class UploadPlace(models.Model):
    """The room of one file that is on its way into an instruction: it counts against its limits as if it were there.

    Its row goes when the file is accepted or given up. What a process that died leaves does not count for long.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    instruction = models.ForeignKey(Instruction, on_delete=models.CASCADE, related_name="places")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    owner = models.CharField(max_length=255)
    day = models.DateField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["product", "owner", "day"], name="place_of_day"),
            models.Index(fields=["created_at"], name="place_age"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class ProductDay(models.Model):
    """How many files of a caller a product took on one day of UTC. Whoever takes a place locks it."""

    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="days")
    owner = models.CharField(max_length=255)
    day = models.DateField(db_index=True)
    files = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "owner", "day"], name="product_day_once")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.owner} {self.day}: {self.files}"
