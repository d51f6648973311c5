"""The ledger of a run, line by line."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import RunItem


@admin.register(RunItem)
class RunItemAdmin(ReadOnlyAdmin[RunItem]):
    list_display = ("image", "state_label", "code", "job_link", "ended")
    list_display_links = None
    list_filter = ("state", "run")
    list_select_related = ("original",)
    search_ids = ("original",)
    search_help_text = "Id of the picture"
    ordering = ("run", "original")
    sortable_by = ()
    fields = ("run", "original", "state", "code", "job", "ended_at")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    @admin.display(description="Picture")
    def image(self, item: RunItem) -> SafeString:
        return cells.link("original", item.original_id, item.original)

    @admin.display(description="State")
    def state_label(self, item: RunItem) -> SafeString:
        return cells.state_label(item.state)

    @admin.display(description="Job")
    def job_link(self, item: RunItem) -> SafeString:
        return cells.link("job", item.job_id, "its job") if item.job_id else cells.NOTHING

    @admin.display(description="Ended")
    def ended(self, item: RunItem) -> SafeString:
        return cells.ago(item.ended_at)
