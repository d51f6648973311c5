"""Pictures of a live site that are made here beside it, and what a comparison of both found."""

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.models.job import Job
from media_jobs.models.original import Original
from media_jobs.pipeline.compare.values import Verdict
from media_jobs.states import ShadowState


class Shadow(models.Model):
    """One upload of the live site, by the key that it has there. Its original here serves the comparison only.

    Changed by conditional updates. A worker that fetches or compares holds it by `(state, worker)`, and moves `due_at`
    ahead meanwhile: where it falls silent, another one takes it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    legacy_key = models.CharField(
        max_length=255, unique=True, help_text="Of the site's own original; its sizes have names beside it."
    )
    owner = models.CharField(max_length=255, help_text="Who asked for it.")
    original = models.OneToOneField(
        Original,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="shadow",
        help_text="Empty: not fetched yet, or the time for which it is kept is over.",
    )
    job = models.OneToOneField(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="shadow")
    state = models.CharField(max_length=16, choices=choices(ShadowState))
    due_at = models.DateTimeField(db_default=Now(), help_text="A worker takes it from then on.")
    worker = models.CharField(max_length=255, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has taken it in this state.")
    code = models.CharField(max_length=32, blank=True, default="", help_text="Why it failed, for machines.")
    detail = models.TextField(blank=True, default="", help_text="Why it failed, for people.")

    # What the comparison found.
    verdict = models.CharField(max_length=16, choices=choices(Verdict), blank=True, default="")
    reason = models.CharField(max_length=32, blank=True, default="", help_text="compare.values.Reason")
    sentence = models.TextField(blank=True, default="", help_text="What decided it, for people.")
    measures = models.JSONField(null=True, blank=True, help_text="compare.values.Measures")
    sizes = models.JSONField(default=list, blank=True, help_text="compare.values.SizeJudgement of each size.")
    judge = models.CharField(max_length=64, blank=True, default="", help_text="The version of rules that judged.")
    engine = models.CharField(max_length=64, blank=True, default="", help_text="The version that made ours.")
    compared_at = models.DateTimeField(null=True, blank=True)

    # What a person says of it counts.
    judged_as = models.CharField(max_length=16, choices=choices(Verdict), blank=True, default="")
    judged_note = models.TextField(blank=True, default="")
    judged_by = models.CharField(max_length=255, blank=True, default="")
    judged_at = models.DateTimeField(null=True, blank=True)
    ruling = models.GeneratedField(
        expression=Case(
            When(~Q(judged_as=""), then=F("judged_as")),
            # While it is compared once more the former one counts: else nobody would see errors meanwhile.
            When(state__in=[ShadowState.COMPARED, ShadowState.DUE], then=F("verdict")),
            default=Value(""),
        ),
        output_field=models.CharField(max_length=16),
        db_persist=True,
        help_text="The verdict that counts: a person's, or else that of the comparison. Empty: neither.",
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("judge_shadow", "Can say what comparisons of shadows mean")]
        constraints = [
            only_known("state", ShadowState, "shadow_state_known"),
            models.CheckConstraint(
                condition=Q(verdict__in=["", *(verdict.value for verdict in Verdict)]), name="shadow_verdict_known"
            ),
            models.CheckConstraint(
                condition=Q(judged_as__in=["", *(verdict.value for verdict in Verdict)]), name="shadow_judged_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=ShadowState.COMPARED) | (~Q(verdict="") & Q(compared_at__isnull=False)),
                name="shadow_compared_has_verdict",
            ),
            models.CheckConstraint(condition=~Q(state=ShadowState.FAILED) | ~Q(code=""), name="shadow_failed_has_code"),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state__in=[ShadowState.FETCHING, ShadowState.DUE]),
                name="shadow_due",
            ),
            models.Index(fields=["id"], condition=Q(state=ShadowState.RENDERING), name="shadow_rendering"),
            models.Index(
                fields=["state"],
                condition=Q(state__in=[ShadowState.FETCHING, ShadowState.RENDERING, ShadowState.DUE]),
                name="shadow_unfinished",
            ),
            # What the scoreboard counts, without reading rows.
            models.Index(fields=["created_at", "ruling", "state"], name="shadow_scoreboard"),
            # What needs an eye, and what was judged as what.
            models.Index(fields=["verdict", "-id"], condition=Q(judged_as=""), name="shadow_to_judge"),
            models.Index(fields=["ruling", "-id"], name="shadow_by_ruling"),
            models.Index(fields=["-id"], condition=~Q(judged_as=""), name="shadow_by_people"),
        ]

    def __str__(self) -> str:
        return self.legacy_key
