"""Housekeeping: what was done when, and what came of it. `manage.py housekeeping` does it at once."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import Chore
from media_jobs.services.housekeeping import PARTS

_PARTS = {part.name: part for part in PARTS}


@admin.register(Chore)
class ChoreAdmin(ReadOnlyAdmin[Chore]):
    list_display = ("part", "standing", "finished", "mended", "took", "failure")
    list_display_links = ("part",)
    list_before_template = "admin/media_jobs/chore/note.html"
    sortable_by = ("part", "finished", "mended", "took")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "about"),
                    ("standing", "often"),
                    ("finished_at", "took"),
                    ("mended", "worker"),
                    "error",
                )
            },
        ),
    )
    readonly_fields = ("about", "often", "standing", "took")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chore]:
        return super().get_queryset(request).filter(name__in=_PARTS)

    @admin.display(description="Part", ordering="name")
    def part(self, chore: Chore) -> SafeString:
        return format_html('{}<br><span class="gi-quiet">{}</span>', chore.name, self.about(chore))

    @admin.display(description="Looks after")
    def about(self, chore: Chore) -> str:
        return _PARTS[chore.name].about

    @admin.display(description="How often")
    def often(self, chore: Chore) -> str:
        return f"about every {cells.span(_PARTS[chore.name].every_s)}, by any worker"

    @admin.display(description="Now")
    def standing(self, chore: Chore) -> SafeString:
        if chore.lease_until and chore.lease_until > timezone.now():
            return format_html('{} <span class="gi-quiet">{}</span>', cells.label("at work", "warning"), chore.worker)
        if chore.error:
            return cells.label("failed", "danger")
        return cells.label("done", "success") if chore.finished_at else cells.NOTHING

    @admin.display(description="Last done", ordering="finished_at")
    def finished(self, chore: Chore) -> SafeString:
        return cells.ago(chore.finished_at)

    @admin.display(description="Took", ordering="duration_ms")
    def took(self, chore: Chore) -> str:
        return cells.span(chore.duration_ms / 1000) if chore.finished_at else "–"

    @admin.display(description="Why it ended early")
    def failure(self, chore: Chore) -> SafeString:
        return format_html('<span class="gi-failure">{}</span>', chore.error) if chore.error else cells.NOTHING
