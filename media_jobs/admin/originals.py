"""Originals: what was uploaded, and what became of it."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.filters import DateFieldListFilter
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from media_jobs import selectors
from media_jobs.admin import cells, queries
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.callers import READ_ORIGINALS
from media_jobs.models import Derivative, Job, Original
from media_jobs.pipeline.formats.sniff import RAW_FORMATS
from media_jobs.pipeline.values import KEEP_LABELS
from media_jobs.states import JobState, OriginalState

#: Why there is no file to download.
NO_FILE: dict[str, str] = {
    OriginalState.STAGED: (
        "There is no original yet: the file was uploaded straight to the storage, and a worker has still to check it."
    ),
    OriginalState.DELETED: "The original has been removed.",
}


class LatestJobFilter(admin.SimpleListFilter):
    title = "latest job"
    parameter_name = "latest"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((state.value, state.value) for state in JobState), ("none", "no job")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Original]) -> QuerySet[Original]:
        wanted = self.value()
        if wanted is None:
            return queryset
        if wanted == "none":
            return queryset.filter(~Exists(Job.objects.filter(original=OuterRef("pk"))))
        return queries.whose_latest_job_is(queryset, wanted)


class RightsFilter(admin.SimpleListFilter):
    """Filters pictures that have been read by whether they name a creator."""

    title = "rights"
    parameter_name = "rights"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("named", "somebody is named"), ("missing", "nobody is named")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Original]) -> QuerySet[Original]:
        nobody = Q(creator="", credit="", copyright="")
        read = queryset.filter(width_px__isnull=False)
        return {"named": read.exclude(nobody), "missing": read.filter(nobody)}.get(self.value() or "", queryset)


class FormatFilter(admin.SimpleListFilter):
    """Offers all formats that there may be: asking which there are would read the whole table."""

    title = "format"
    parameter_name = "format"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in ("avif", "bmp", "gif", "heic", "jpeg", "png", "raw", "tiff", "webp")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Original]) -> QuerySet[Original]:
        wanted = self.value()
        if wanted is None:
            return queryset
        return queryset.filter(format__in=RAW_FORMATS if wanted == "raw" else [wanted])


@admin.register(Original)
class OriginalAdmin(ReadOnlyAdmin[Original]):
    list_display = ("thumbnail", "name", "latest_job", "failure", "format", "dimensions", "size", "owner", "uploaded")
    list_display_links = ("thumbnail", "name")
    list_filter = (LatestJobFilter, RightsFilter, FormatFilter, "state", ("created_at", DateFieldListFilter))
    search_fields = ("filename", "owner", "creator", "credit", "copyright")
    search_sums = ("sha256",)
    search_help_text = "File name, id, SHA-256, owner, creator or credit"
    ordering = ("-id",)
    change_form_outer_before_template = "admin/media_jobs/original/pictures.html"
    change_form_outer_after_template = "admin/media_jobs/original/after.html"
    fieldsets = (
        (
            "File",
            {
                "fields": (
                    ("filename", "owner"),
                    ("type", "dimensions"),
                    ("size", "created_at"),
                    ("state_label", "id"),
                    "deleted_at",
                    "key",
                    "sha256",
                )
            },
        ),
        (
            "Picture",
            {
                "fields": (
                    ("creator", "credit"),
                    ("copyright", "licence"),
                    "digital_source_type",
                    ("placeholder_shown", "orientation"),
                    ("privacy_options", "view_options"),
                )
            },
        ),
    )
    readonly_fields = (
        "type",
        "dimensions",
        "size",
        "state_label",
        "placeholder_shown",
        "privacy_options",
        "view_options",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Original]:
        originals = queries.with_latest_job(super().get_queryset(request))
        return originals.prefetch_related(queries.current_pictures("derivatives"))

    def page_context(self, request: HttpRequest, found: Original) -> dict[str, Any]:
        return {
            "subtitle": None,
            "no_file": NO_FILE.get(found.state),
            "pictures": [_picture(derivative) for derivative in _pictures(found)],
            "metadata": _flat(found.metadata),
            "may_download": request.user.has_perm(READ_ORIGINALS),
            "private_metadata": _flat(found.private_metadata) if request.user.has_perm(READ_ORIGINALS) else [],
            "jobs": [_job(job) for job in found.jobs.select_related("preset").order_by("-id")],
            "receipt": selectors.receipt(found),
        }

    @admin.display(description="Picture")
    def thumbnail(self, original: Original) -> SafeString:
        return cells.thumbnail(_pictures(original), original, _latest(original))

    @admin.display(description="File name", ordering="filename")
    def name(self, original: Original) -> str:
        return str(original)

    @admin.display(description="Latest job", ordering="latest_state")
    def latest_job(self, original: Original) -> SafeString:
        return cells.state_label(_latest(original))

    @admin.display(description="Failure", ordering="latest_code")
    def failure(self, original: Original) -> SafeString:
        return cells.failure(original.latest_code, original.latest_detail)  # type: ignore[attr-defined]  # annotated

    @admin.display(description="Format")
    def type(self, original: Original) -> str:
        text = f"{original.format} ({original.content_type})"
        unchecked = original.state == OriginalState.STAGED and not original.sha256
        return f"{text}, as announced by its uploader" if unchecked else text

    @admin.display(description="Pixels", ordering="width_px")
    def dimensions(self, original: Original) -> str:
        return cells.dimensions(original.width_px, original.height_px)

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, original: Original) -> str:
        return cells.size(original.size_bytes)

    @admin.display(description="Placeholder")
    def placeholder_shown(self, original: Original) -> SafeString:
        return cells.placeholder(original)

    @admin.display(description="Privacy options")
    def privacy_options(self, original: Original) -> str:
        kept = original.preserve.items()
        return ", ".join(f"{'keep' if keep else 'drop'} {KEEP_LABELS[name]}" for name, keep in kept)

    @admin.display(description="Rotation and focus")
    def view_options(self, original: Original) -> str:
        overrides = original.overrides()
        rotation = [f"rotate by {overrides.rotation}°"] if overrides.rotation else []
        focus = [f"focus at {overrides.focus.x:.0%} × {overrides.focus.y:.0%}"] if overrides.focus else []
        return ", ".join(rotation + focus)

    @admin.display(description="State")
    def state_label(self, original: Original) -> SafeString:
        return cells.state_label(OriginalState.DELETED if original.deleted_at else original.state)

    @admin.display(description="Uploaded", ordering="id")
    def uploaded(self, original: Original) -> SafeString:
        return cells.ago(original.created_at)


def _pictures(original: Original) -> list[Derivative]:
    return cast("list[Derivative]", original.pictures)  # type: ignore[attr-defined]  # get_queryset prefetches it


def _latest(original: Original) -> str:
    return original.latest_state or ""  # type: ignore[attr-defined]  # get_queryset annotates it


def _picture(derivative: Derivative) -> dict[str, Any]:
    return {
        "derivative": derivative,
        "url": selectors.derivative_url(derivative),
        "dimensions": cells.dimensions(derivative.width_px, derivative.height_px),
        "size": cells.size(derivative.size_bytes),
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "state": cells.state_label(job.state),
        "failure": cells.failure(job.code, job.detail),
        "age": cells.ago(job.created_at),
        "duration": cells.duration(job),
    }


def _flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Flatten nested metadata to rows of a name and a text, in their order."""
    if isinstance(value, dict):
        return [row for name, part in value.items() for row in _flat(part, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [(path, ", ".join(str(part) for part in value))]
    return [(path, "" if value is None else str(value))]
