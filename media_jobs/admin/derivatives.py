"""Derivatives: the files that were made."""

from django.contrib import admin
from django.contrib.admin.filters import DateFieldListFilter
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_jobs import selectors
from media_jobs.admin import cells
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import Derivative
from media_jobs.states import DerivativeState


@admin.register(Derivative)
class DerivativeAdmin(ReadOnlyAdmin[Derivative]):
    list_display = ("thumbnail", "name", "rendition", "state_label", "dimensions", "size", "preset", "made")
    list_display_links = ("thumbnail", "name")
    list_filter = ("state", "preset", ("created_at", DateFieldListFilter))
    list_select_related = ("original", "preset")
    search_name = "original"
    search_fields = ("key",)
    search_ids = ("pk", "original", "job")
    search_sums = ("sha256",)
    search_help_text = "File name, id, key or SHA-256"
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "open_link",
                    ("original", "job"),
                    ("preset", "rendition"),
                    ("dimensions", "size"),
                    ("content_type", "engine"),
                    ("state_label", "replaced_at"),
                    ("created_at", "id"),
                    "key",
                    "sha256",
                )
            },
        ),
    )
    readonly_fields = ("open_link", "dimensions", "size", "state_label")

    @admin.display(description="Picture")
    def thumbnail(self, derivative: Derivative) -> SafeString:
        there = derivative.state != DerivativeState.PENDING
        return cells.thumbnail([derivative] if there else [], derivative.original, derivative.state)

    @admin.display(description="File name", ordering="original__filename")
    def name(self, derivative: Derivative) -> str:
        return str(derivative.original)

    @admin.display(description="State", ordering="state")
    def state_label(self, derivative: Derivative) -> SafeString:
        return cells.state_label(derivative.state)

    @admin.display(description="Pixels", ordering="width_px")
    def dimensions(self, derivative: Derivative) -> str:
        return cells.dimensions(derivative.width_px, derivative.height_px)

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, derivative: Derivative) -> str:
        return cells.size(derivative.size_bytes)

    @admin.display(description="Made", ordering="id")
    def made(self, derivative: Derivative) -> SafeString:
        return cells.ago(derivative.created_at)

    @admin.display(description="File")
    def open_link(self, derivative: Derivative) -> SafeString:
        if derivative.state == DerivativeState.PENDING:
            return cells.NOTHING
        url = selectors.derivative_url(derivative)
        return format_html('<a class="gi-link" href="{}" target="_blank" rel="noopener">{}</a>', url, url)
