"""Products: what is made of files, for whom, and how much of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from media_jobs.admin import cells
from media_jobs.admin.base import ModelAdmin
from media_jobs.admin.fields import preset_choices
from media_jobs.models import Product
from media_jobs.pipeline.formats.sniff import FORMATS


class ProductForm(forms.ModelForm[Product]):
    preset = forms.ChoiceField(
        choices=preset_choices, widget=UnfoldAdminSelectWidget, help_text="Its current version counts."
    )
    formats = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in sorted(FORMATS)],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None chosen: all that the service reads.",
    )


@admin.register(Product)
class ProductAdmin(ModelAdmin[Product]):
    form = ProductForm
    list_display = ("name", "state", "preset", "open_for", "kept")
    list_filter = ("active", "open_to_all")
    search_fields = ("name", "owners")
    search_help_text = "Name, or a caller"
    list_fullwidth = True
    show_full_result_count = False
    readonly_fields = ("created_at",)
    fieldsets = (
        (None, {"fields": ("name", "preset", "active")}),
        ("For whom", {"fields": ("open_to_all", "owners")}),
        ("Limits", {"fields": (("max_bytes", "max_pixels"), ("files_per_instruction", "files_per_day"), "formats")}),
        ("How long files are kept", {"fields": (("done_days", "failed_days"),)}),
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # deleting many at once does not check whether each of them is used

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Nobody deletes one that instructions name: it is made inactive instead."""
        return super().has_delete_permission(request, obj) and not (obj and obj.instructions.exists())

    @admin.display(description="State", ordering="active")
    def state(self, product: Product) -> SafeString:
        return cells.label("active", "success") if product.active else cells.label("inactive", "default")

    @admin.display(description="For")
    def open_for(self, product: Product) -> str:
        return "all" if product.open_to_all else ", ".join(product.owners.split()) or "nobody"

    @admin.display(description="Kept")
    def kept(self, product: Product) -> str:
        def days(number: int | None) -> str:
            return "for ever" if number is None else f"{number} d"

        return f"done {days(product.done_days)}, failed {days(product.failed_days)}"
