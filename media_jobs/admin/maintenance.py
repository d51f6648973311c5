"""Housekeeping: which task ran when, and its result. `manage.py housekeeping` runs them at once."""

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
class MaintenanceTaskAdmin(ReadOnlyAdmin[MaintenanceTask]):
    list_display = ("task_name", "status", "finished", "repaired", "took", "failure")
    list_display_links = ("task_name",)
    list_before_template = "admin/media_jobs/maintenancetask/note.html"
    sortable_by = ("task_name", "finished", "repaired", "took")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "about"),
                    ("status", "interval"),
                    ("finished_at", "took"),
                    ("repaired", "worker"),
                    "error",
                )
            },
        ),
    )
    readonly_fields = ("about", "interval", "status", "took")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[MaintenanceTask]:
        return super().get_queryset(request).filter(name__in=_TASKS)

    @admin.display(description="Task", ordering="name")
    def task_name(self, task: MaintenanceTask) -> SafeString:
        return format_html('{}<br><span class="gi-quiet">{}</span>', task.name, self.about(task))

    @admin.display(description="Purpose")
    def about(self, task: MaintenanceTask) -> str:
        return _TASKS[task.name].about

    @admin.display(description="Interval")
    def interval(self, task: MaintenanceTask) -> str:
        return f"about every {cells.span(_TASKS[task.name].every_s)}, by any worker"

    @admin.display(description="Status")
    def status(self, task: MaintenanceTask) -> SafeString:
        if task.lease_until and task.lease_until > timezone.now():
            return format_html('{} <span class="gi-quiet">{}</span>', cells.label("running", "warning"), task.worker)
        if task.error:
            return cells.label("failed", "danger")
        return cells.label("done", "success") if task.finished_at else cells.NOTHING

    @admin.display(description="Last run", ordering="finished_at")
    def finished(self, task: MaintenanceTask) -> SafeString:
        return cells.ago(task.finished_at)

    @admin.display(description="Took", ordering="duration_ms")
    def took(self, task: MaintenanceTask) -> str:
        return cells.span(task.duration_ms / 1000) if task.finished_at else "–"

    @admin.display(description="Error")
    def failure(self, task: MaintenanceTask) -> SafeString:
        return format_html('<span class="gi-failure">{}</span>', task.error) if task.error else cells.NOTHING
