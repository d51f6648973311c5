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
from media_jobs.models import MaintenanceTask
from media_jobs.services.housekeeping import TASKS

_TASKS = {task.name: task for task in TASKS}


@admin.register(MaintenanceTask)
class ChoreAdmin(ReadOnlyAdmin[MaintenanceTask]):
    list_display = ("part", "standing", "finished", "repaired", "took", "failure")
    list_display_links = ("part",)
    list_before_template = "admin/media_jobs/maintenancetask/note.html"
    sortable_by = ("part", "finished", "repaired", "took")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "about"),
                    ("standing", "often"),
                    ("finished_at", "took"),
                    ("repaired", "worker"),
                    "error",
                )
            },
        ),
    )
    readonly_fields = ("about", "often", "standing", "took")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[MaintenanceTask]:
        return super().get_queryset(request).filter(name__in=_TASKS)

    @admin.display(description="Part", ordering="name")
    def part(self, task: MaintenanceTask) -> SafeString:
        return format_html('{}<br><span class="gi-quiet">{}</span>', task.name, self.about(task))

    @admin.display(description="Looks after")
    def about(self, task: MaintenanceTask) -> str:
        return _TASKS[task.name].about

    @admin.display(description="How often")
    def often(self, task: MaintenanceTask) -> str:
        return f"about every {cells.span(_TASKS[task.name].every_s)}, by any worker"

    @admin.display(description="Now")
    def standing(self, task: MaintenanceTask) -> SafeString:
        if task.lease_until and task.lease_until > timezone.now():
            return format_html('{} <span class="gi-quiet">{}</span>', cells.label("at work", "warning"), task.worker)
        if task.error:
            return cells.label("failed", "danger")
        return cells.label("done", "success") if task.finished_at else cells.NOTHING

    @admin.display(description="Last done", ordering="finished_at")
    def finished(self, task: MaintenanceTask) -> SafeString:
        return cells.ago(task.finished_at)

    @admin.display(description="Took", ordering="duration_ms")
    def took(self, task: MaintenanceTask) -> str:
        return cells.span(task.duration_ms / 1000) if task.finished_at else "–"

    @admin.display(description="Why it ended early")
    def failure(self, task: MaintenanceTask) -> SafeString:
        return format_html('<span class="gi-failure">{}</span>', task.error) if task.error else cells.NOTHING
