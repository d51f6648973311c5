"""Originals: what was uploaded, and what became of it."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.filters import DateFieldListFilter
from django.contrib.admin.utils import unquote
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from media_jobs.admin import cells, desk, queries
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.admin.picture import page
from media_jobs.models import Derivative, Job, Original
from media_jobs.pipeline.formats.sniff import RAW_FORMATS
from media_jobs.states import JobState


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Original]:
        originals = queries.with_latest_job(super().get_queryset(request))
        return originals.prefetch_related(queries.current_pictures("derivatives"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the picture's page of the desk, for what may be viewed; all that changes it has addresses of its own."""
        found = self.get_object(request, unquote(object_id))
        if request.method == "POST" or found is None or not self.has_view_permission(request, found):
            return super().change_view(request, object_id, form_url, extra_context)
        return desk.show(request, "admin/picture/page.html", str(found), **page.context(request, found))

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

    @admin.display(description="Pixels", ordering="width_px")
    def dimensions(self, original: Original) -> str:
        return cells.dimensions(original.width_px, original.height_px)

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, original: Original) -> str:
        return cells.size(original.size_bytes)

    @admin.display(description="Uploaded", ordering="id")
    def uploaded(self, original: Original) -> SafeString:
        return cells.ago(original.created_at)


def _pictures(original: Original) -> list[Derivative]:
    return cast("list[Derivative]", original.pictures)  # type: ignore[attr-defined]  # get_queryset prefetches it


def _latest(original: Original) -> str:
    return original.latest_state or ""  # type: ignore[attr-defined]  # get_queryset annotates it
