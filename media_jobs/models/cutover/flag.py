"""Switches that are on for a part of those who ask, and who changed them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

#: 100 %, in basis points.
EVERYBODY = 10_000
_NAME_LENGTH = 40


class FeatureFlag(models.Model):
    """Whether something is on, decided for each key that is asked about.

    Where it is not enabled it is off for everybody. Changed by `services.flags` only, and only by whoever knows its
    `version`. Its name is a part of what is hashed, and so never changes.
    """

    name = models.SlugField(max_length=_NAME_LENGTH, primary_key=True)
    description = models.TextField(blank=True, help_text="What is on where it is on, for people.")
    enabled = models.BooleanField(default=False, help_text="Off: off for all keys, whatever else is said here.")
    basis_points = models.PositiveSmallIntegerField(
        default=0, help_text="For how many of 10,000 keys it is on: 125 are 1.25 %."
    )
    allow = models.JSONField(default=list, blank=True, help_text="Keys for which it is on at any percentage.")
    deny = models.JSONField(default=list, blank=True, help_text="Keys for which it is off, even if they are allowed.")
    guarded = models.BooleanField(
        default=True, help_text="Raised only while the scoreboard allows it; falls back by itself when it does not."
    )
    fell_back_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the guard switched it to 0 %; empty once a person raised it.",
    )
    forced_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When it was raised although there were too many errors; the guard rests until these are fewer.",
    )
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Counts its changes.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "feature flag"
        ordering = ["name"]
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(condition=Q(basis_points__lte=EVERYBODY), name="flag_share_is_a_part"),
        ]

    def __str__(self) -> str:
        return self.name


class FlagChange(models.Model):
    """Who changed a flag from what to what, and why. Only ever added."""

    flag = models.ForeignKey(FeatureFlag, on_delete=models.PROTECT, related_name="changes", db_index=False)
    version = models.PositiveIntegerField(help_text="The flag's version after it.")
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.CharField("who", max_length=255, help_text="A caller, such as staff:3, or guard.")
    before = models.JSONField(default=dict, help_text="The former values by name, of what changed.")
    after = models.JSONField(default=dict, help_text="The new values by name.")
    reason = models.TextField(blank=True)
    forced = models.BooleanField(default=False, help_text="Raised although the guard refused it.")

    class Meta:
        verbose_name = "change of a flag"
        verbose_name_plural = "changes of flags"
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["flag", "version"], name="flag_change_once"),
            models.CheckConstraint(condition=Q(forced=False) | ~Q(reason=""), name="flag_forced_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.flag_id} {self.version}"
