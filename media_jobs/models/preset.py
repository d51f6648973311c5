"""What is made of a picture."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from media_jobs.keys import RESERVED_NAMES
from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.pipeline import recipes


class Preset(models.Model):
    """One version of a named set of renditions. A version that jobs have used is not edited: a new one is made."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    current = models.BooleanField(default=False, help_text="The version that new uploads get.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="preset_version_once"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(current=True), name="preset_one_current_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def recipe(self) -> recipes.Preset:
        """The value that the pipeline works with."""
        return recipes.Preset(self.name, tuple(r.recipe() for r in self.renditions.all()), self.version)


class Rendition(models.Model):
    """One wanted output of a preset."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="renditions")
    name = models.SlugField(max_length=32)
    side_px = models.PositiveIntegerField("side in px", validators=[MinValueValidator(1), MaxValueValidator(16_383)])
    fit = models.CharField(max_length=16, choices=choices(recipes.Fit), default=recipes.Fit.INSIDE)
    format = models.CharField(max_length=16, choices=choices(recipes.Format), default=recipes.Format.JPEG)
    quality = models.PositiveSmallIntegerField(default=82, validators=[MinValueValidator(1), MaxValueValidator(100)])

    class Meta:
        ordering = ["-side_px", "name"]
        constraints = [
            models.UniqueConstraint(fields=["preset", "name"], name="rendition_name_once"),
            only_known("fit", recipes.Fit, "rendition_fit_known"),
            only_known("format", recipes.Format, "rendition_format_known"),
            models.CheckConstraint(
                condition=models.Q(quality__gte=1, quality__lte=100), name="rendition_quality_in_range"
            ),
            models.CheckConstraint(condition=models.Q(side_px__gte=1), name="rendition_side_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def recipe(self) -> recipes.Rendition:
        return recipes.Rendition(
            self.name, self.side_px, recipes.Fit(self.fit), recipes.Format(self.format), self.quality
        )

    def clean(self) -> None:
        if self.name in RESERVED_NAMES:
            raise ValidationError({"name": f"“{self.name}” is a folder of the storage; choose another name."})
        try:
            self.recipe()
        except ValueError as error:
            raise ValidationError(str(error)) from error
