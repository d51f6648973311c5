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
    failed_days = models.PositiveSmallIntegerField(
        "days that failed originals are kept",
        null=True,
        blank=True,
        help_text="After so many days originals of which no picture could be made are deleted; empty: never, "
        "so that curators can retry them. The current version decides.",
    )

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
    name = models.SlugField(max_length=32, help_text="Part of the public address.")
    side_px = models.PositiveIntegerField(
        "side in px",
        validators=[MinValueValidator(1), MaxValueValidator(16_383)],
        help_text="Of the longest side, the width or the square, as fit says.",
    )
    fit = models.CharField(
        max_length=16,
        choices=choices(recipes.Fit),
        default=recipes.Fit.INSIDE,
        help_text="inside: the longest side; width: the width; cover: a square, cropped.",
    )
    crop = models.CharField(
        max_length=16,
        choices=choices(recipes.Crop),
        default=recipes.Crop.CENTRE,
        db_default=recipes.Crop.CENTRE,
        help_text="Where cover cuts, if the upload names no focal point.",
    )
    enlarge = models.BooleanField(
        default=False, db_default=False, help_text="Make smaller pictures larger. Usually they keep their size."
    )
    format = models.CharField(
        max_length=16,
        choices=choices(recipes.Format),
        default=recipes.Format.JPEG,
        help_text="source: the upload’s own where it is one of these, else jpeg; auto: jpeg, or webp if transparent.",
    )
    quality = models.PositiveSmallIntegerField(
        default=82, validators=[MinValueValidator(1), MaxValueValidator(100)], help_text="1 to 100; PNG has none."
    )
    chroma = models.CharField(
        max_length=16,
        choices=choices(recipes.Chroma),
        default=recipes.Chroma.AUTO,
        db_default=recipes.Chroma.AUTO,
        help_text="How finely colour is stored. auto suits format and quality.",
    )
    effort = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(9)],
        help_text="0 (fast) to 9 (small). Empty: what has proved worth its time, for JPEG 5. With 9 a JPEG takes ten "
        "times as long for 2 % fewer bytes. AVIF from 4 on takes ten times as long: some 10 s at 2048 px.",
    )
    progressive = models.BooleanField(
        null=True,
        blank=True,
        choices=[(None, "automatic"), (True, "yes"), (False, "no")],
        help_text="JPEG and PNG appear coarse first, then fine.",
    )

    class Meta:
        verbose_name = "size"
        ordering = ["-side_px", "name"]
        constraints = [
            models.UniqueConstraint(fields=["preset", "name"], name="rendition_name_once"),
            only_known("fit", recipes.Fit, "rendition_fit_known"),
            only_known("format", recipes.Format, "rendition_format_known"),
            only_known("crop", recipes.Crop, "rendition_crop_known"),
            only_known("chroma", recipes.Chroma, "rendition_chroma_known"),
            models.CheckConstraint(
                condition=models.Q(effort=None) | models.Q(effort__gte=0, effort__lte=9),
                name="rendition_effort_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(quality__gte=1, quality__lte=100), name="rendition_quality_in_range"
            ),
            models.CheckConstraint(condition=models.Q(side_px__gte=1), name="rendition_side_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def recipe(self) -> recipes.Rendition:
        return recipes.Rendition(
            name=self.name,
            side_px=self.side_px,
            fit=recipes.Fit(self.fit),
            format=recipes.Format(self.format),
            quality=self.quality,
            crop=recipes.Crop(self.crop),
            effort=self.effort,
            progressive=self.progressive,
            chroma=recipes.Chroma(self.chroma),
            enlarge=self.enlarge,
        )

    def clean(self) -> None:
        if self.name in RESERVED_NAMES:
            raise ValidationError({"name": f"“{self.name}” is a folder of the storage; choose another name."})
        try:
            self.recipe()
        except ValueError as error:
            raise ValidationError(str(error)) from error
