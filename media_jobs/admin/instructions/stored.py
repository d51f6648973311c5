"""How much is stored: one page of sums."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import StoredEntry
from media_jobs.services import stored

_OWNERS = 100


@admin.register(StoredEntry)
class StoredEntryAdmin(ReadOnlyAdmin[StoredEntry]):
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The sums of the ledger, by kind, and of those who have most. Nobody wants to see its lines."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Stored amounts",
            "opts": self.opts,
            "totals": stored.by_kind(),
            "owners": stored.largest_owners(at_most=_OWNERS),
            "most": _OWNERS,
        }
        return TemplateResponse(request, "admin/media_jobs/storedentry/amounts.html", context)
