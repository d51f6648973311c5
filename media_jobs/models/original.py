"""The bytes as they came, and what they tell."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.db import models
from django.db.models import Q, Value

from media_jobs.models.base import choices, only_known, uuid7
from media_jobs.pipeline.values import Focus, Keep, Overrides, Rights, ingredient_digest
from media_jobs.states import OriginalState

_RIGHTS = ("creator", "credit", "copyright", "licence", "digital_source_type")
_OVERRIDES = ("rotation", "focus_x", "focus_y")
_UPRIGHT = "As displayed, after rotation."


def _text(help: str) -> "models.TextField[str, str]":
    """A text that most pictures do not have."""
    return models.TextField(blank=True, default="", db_default="", help_text=help)


class OriginalQuerySet(models.QuerySet["Original"]):
    """Keeps the digests of rights and overrides true, whoever writes them."""

    def update(self, **fields: Any) -> int:
        """Do as Django does. Rights are updated all together, and overrides, too: raises ValueError otherwise."""
        for names, digest in ((_RIGHTS, "rights_digest"), (_OVERRIDES, "overrides_digest")):
            given = {name: fields[name] for name in names if name in fields}
            if not given:
                continue
            if len(given) < len(names):
                raise ValueError(f"update {', '.join(names)} together: {digest} is of all of them")
            fields[digest] = getattr(Original(**given), f"_{digest}")()
        return super().update(**fields)

    def bulk_create(self, objs: Iterable["Original"], *args: Any, **kwargs: Any) -> list["Original"]:
        originals = list(objs)
        for original in originals:
            original.note_ingredients()
        return super().bulk_create(originals, *args, **kwargs)


class Original(models.Model):
    """An uploaded file. Never changed, never public."""

    objects = OriginalQuerySet.as_manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(max_length=16, choices=choices(OriginalState))
    owner = models.CharField(max_length=255, help_text="Who uploaded it.")
    filename = models.CharField(max_length=255, blank=True, help_text="The name that the uploader's file had.")
    format = models.CharField(max_length=16, help_text="By its first bytes; by all of them once it has been rendered.")
    content_type = models.CharField(max_length=64)
    key = models.CharField(max_length=255, unique=True, help_text="Where the storage has it.")
    imported_from = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The key of the object that it was made of."
    )
    size_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person deleted the image. It can be restored for RESTORE_DAYS."
    )

    # What its uploader asked for. It stays with the picture, so that every later run makes the same of it.
    preserve = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text="Switches of values.Keep that were sent along; the settings decide the others.",
    )
    rotation = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Degrees clockwise, on top of what the file says."
    )
    focus_x = models.FloatField(null=True, blank=True, help_text="The point that matters, as a fraction of the width.")
    focus_y = models.FloatField(null=True, blank=True, help_text="The point that matters, as a fraction of the height.")

    stated_rights = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text="Fields of values.Rights that a person has stated; the file decides the others.",
    )

    # What the latest finished job read in it.
    width_px = models.PositiveIntegerField(null=True, blank=True, help_text=_UPRIGHT)
    height_px = models.PositiveIntegerField(null=True, blank=True, help_text=_UPRIGHT)
    orientation = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The file's EXIF tag, 1 to 8.")
    metadata = models.JSONField(default=dict, blank=True)
    private_metadata = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        help_text="Position and serial numbers, where they are kept: for those only who may read the file itself.",
    )
    rights_in_file = models.JSONField(
        null=True, blank=True, help_text="values.Rights as the file has them; null: not read yet, or by version 0.1."
    )
    # What is valid of both: what a person has stated, and else what the file says.
    creator = _text("Who made the picture.")
    credit = _text("Whom to name beside it.")
    copyright = _text("Who holds the rights.")
    licence = _text("The address of its licence.")
    digital_source_type = _text("How it was made, such as by AI: the address of a term of IPTC's.")
    # What a person notes beside them; it stays here, and in no web version.
    source = _text("Where the picture comes from, such as a collection and a number.")
    caption = _text("What it shows.")
    replaces = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="replacements",
        help_text="The picture in whose place this one came.",
    )
    # Of what is written above, for comparison with what derivatives were made with; `save` and `update` see to them.
    overrides_digest = models.CharField(
        max_length=32, blank=True, default="", db_default="", editable=False, help_text="Empty: there are none."
    )
    rights_digest = models.CharField(
        max_length=32, blank=True, default="", db_default="", editable=False, help_text="Empty: there are none."
    )
    refused_code = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="Why no picture can be made of this file."
    )
    refused_by = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="The version of the engine that found so."
    )
    placeholder = _text("A tiny picture as a data URI, to be shown until the real one is there.")
    dominant_colour = models.CharField(max_length=7, blank=True, default="", db_default="", help_text="#rrggbb")

    class Meta:
        constraints = [
            only_known("state", OriginalState, "original_state_known"),
            models.CheckConstraint(condition=Q(size_bytes__gte=0), name="original_size_not_negative"),
            models.CheckConstraint(
                condition=~Q(state=OriginalState.ACTIVE) | (Q(size_bytes__gt=0) & ~Q(sha256="")),
                name="original_active_is_whole",
            ),
            models.CheckConstraint(condition=Q(rotation__in=[0, 90, 180, 270]), name="original_rotation_known"),
            models.CheckConstraint(
                condition=Q(focus_x=None, focus_y=None)
                | Q(focus_x__isnull=False, focus_x__gte=0, focus_x__lte=1)
                & Q(focus_y__isnull=False, focus_y__gte=0, focus_y__lte=1),
                name="original_focus_is_inside",
            ),
            models.CheckConstraint(
                condition=Q(orientation=None) | Q(orientation__gte=1, orientation__lte=8),
                name="original_orientation_known",
            ),
            models.UniqueConstraint(
                fields=["imported_from"], condition=~Q(imported_from=""), name="original_imported_once"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="original_state_age"),
            models.Index(fields=["owner", "-id"], name="original_owner_newest"),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="original_deleted"),
            # Of which images there are, by key, without reading their rows: what a run over all of them would cost.
            models.Index(
                fields=["key"],
                include=["size_bytes"],
                opclasses=["varchar_pattern_ops"],
                condition=Q(state=OriginalState.ACTIVE, deleted_at=None),
                name="original_there_by_key",
            ),
            # Few, as a rule; who asks what is stale joins them alone.
            models.Index(
                fields=["id"],
                include=["overrides_digest", "rights_digest"],
                condition=~Q(overrides_digest="") | ~Q(rights_digest=""),
                name="original_special",
            ),
            # What the library is looked through by.
            models.Index(fields=["filename", "id"], name="original_by_name"),
            models.Index(fields=["-size_bytes", "-id"], name="original_by_size"),
            models.Index(fields=["format", "-id"], name="original_by_format"),
            models.Index(
                fields=["-id"],
                condition=Q(creator="", credit="", copyright=""),
                name="original_no_credit",
            ),
            models.Index(
                fields=["digital_source_type", "-id"],
                condition=~Q(digital_source_type=""),
                name="original_source_type",
            ),
            models.Index(
                fields=["owner", "sha256"], condition=Q(state=OriginalState.ACTIVE), name="original_same_bytes"
            ),
        ]

        verbose_name = "picture"
        permissions = [
            ("download_original", "Can read original files, and positions and serial numbers in them"),
            ("redo_original", "Can have web versions of pictures made anew"),
        ]

    def __str__(self) -> str:
        return self.filename or str(self.id)

    @property
    def rights(self) -> Rights:
        return Rights(self.creator, self.credit, self.copyright, self.licence, self.digital_source_type)

    def read_in_file(self) -> Rights:
        """Return the rights that the file itself has, as far as it was read."""
        if self.rights_in_file is not None:
            return Rights(**self.rights_in_file)
        return Rights() if self.stated_rights else self.rights

    def keep(self, otherwise: Keep) -> Keep:
        """Which facts may be written down: what its uploader said, `otherwise` where nothing was said."""
        return replace(otherwise, **self.preserve)

    def overrides(self) -> Overrides:
        """What its uploader knew better than the file."""
        focus = (
            None if self.focus_x is None or self.focus_y is None else Focus(float(self.focus_x), float(self.focus_y))
        )
        return Overrides(self.rotation, focus)

    def note_ingredients(self) -> None:
        """Bring the digests up to date with what they are of."""
        self.overrides_digest, self.rights_digest = self._overrides_digest(), self._rights_digest()

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.note_ingredients()
        if update_fields is not None:
            update_fields = {*update_fields, "overrides_digest", "rights_digest"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def _overrides_digest(self) -> str:
        return ingredient_digest(self.overrides())

    def _rights_digest(self) -> str:
        return ingredient_digest(self.rights)


class Tag(models.Model):
    """A word that somebody has put to an image, to find it by."""

    original = models.ForeignKey(Original, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=64)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["original", "name"], name="tag_once")]
        indexes = [models.Index(fields=["name", "original"], name="tag_images")]

    def __str__(self) -> str:
        return self.name
