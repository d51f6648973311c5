"""The log of changes: who changed what, from what to what."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import DateFieldListFilter
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from media_jobs.admin import cells, recorded
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import Change


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin[Change]):
    list_display = ("when", "who", "what", "values")
    list_display_links = None
    list_filter = ("kind", ("at", DateFieldListFilter))
    search_fields = ("label", "object_id", "actor", "action")
    search_help_text = "What it was called, its id, or who"
    search_ids = ()
    ordering = ("-id",)
    sortable_by = ()
    fields = ("at", "actor", "action", "kind", "label", "object_id", "before", "after")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Look the names of all who are on the page up at once."""
        page = super().get_changelist_instance(request)
        names = names_of({change.actor for change in page.result_list})
        for change in page.result_list:
            change.who = names[change.actor]
        return page

    @admin.display(description="When")
    def when(self, change: Change) -> SafeString:
        return cells.ago(change.at)

    @admin.display(description="Who")
    def who(self, change: Change) -> str:
        return str(change.who)  # type: ignore[attr-defined]  # get_changelist_instance sets it

    @admin.display(description="What")
    def what(self, change: Change) -> SafeString:
        return format_html("{} {} <strong>{}</strong>", change.action, change.kind, change.label or change.object_id)

    @admin.display(description="From, to")
    def values(self, change: Change) -> SafeString:
        return format_html_join(
            "", '<div class="gi-change">{}: <del>{}</del> → <ins>{}</ins></div>', recorded.values_of(change)
        )
