"""Presets: the renditions of a version can be edited until its first job; from then on they are history."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import action

from media_jobs.admin import cells
from media_jobs.admin.base import PageAdmin, StackedInline, button, redirect_to
from media_jobs.models import Preset, Rendition
from media_jobs.services import presets

#: On the request that wants a version to be current.
_TO_BE_CURRENT = "preset_to_be_current"
#: Ten years; an empty field keeps failed originals for ever.
MOST_DAYS = 3_650


def is_used(preset: Preset) -> bool:
    """Whether something refers to this version, so that it must stay as it is."""
    return preset.jobs.exists() or preset.derivatives.exists()


class RenditionInline(StackedInline[Rendition, Preset]):
    model = Rendition
    extra = 0
    min_num = 1
    fields = (
        ("name", "side_px"),
        ("fit", "crop"),
        ("format", "quality"),
        ("effort", "chroma"),
        ("progressive", "enlarge"),
    )

    def get_formset(self, request: HttpRequest, obj: Preset | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"validate_min": True, **kwargs})


class NewPresetForm(ModelForm[Preset]):
    """The form of a new name; “Copy as a new version” makes later versions."""

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Preset.objects.filter(name=name).exists():
            raise ValidationError(f"“{name}” exists already; open it and choose “Copy as a new version”.")
        return name


@admin.register(Preset)
class PresetAdmin(PageAdmin[Preset]):
    list_display = ("__str__", "status", "made_of", "created_at")
    list_filter = ("current", "name")
    search_fields = ("name", "renditions__name")
    search_help_text = "Preset or rendition"
    list_fullwidth = True
    actions_detail = ("copy_as_new_version",)
    actions_submit_line = ("make_current",)
    warn_unsaved_form = True  # before a copy, which is made of what is saved
    change_form_outer_before_template = "admin/media_jobs/preset/note.html"
    change_form_outer_after_template = "admin/media_jobs/preset/renditions.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Preset]:
        return super().get_queryset(request).prefetch_related("renditions")

    def get_fields(self, request: HttpRequest, obj: Preset | None = None) -> tuple[Any, ...]:
        return (("name", "version"), ("current", "created_at"), "failed_days") if obj else ("name", "failed_days")

    def get_readonly_fields(self, request: HttpRequest, obj: Preset | None = None) -> tuple[str, ...]:
        return ("name", "version", "current", "created_at") if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Limit the days: 0, meant as “never”, would delete at once."""
        if db_field.name == "failed_days":
            kwargs |= {"min_value": 1, "max_value": MOST_DAYS}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Preset | None) -> list[Any]:
        """Return no form for a used version: its page shows its renditions as a table."""
        return [] if obj and is_used(obj) else [RenditionInline]

    def get_form(self, request: HttpRequest, obj: Preset | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewPresetForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # deleting many at once does not check whether each of them is used

    def has_delete_permission(self, request: HttpRequest, obj: Preset | None = None) -> bool:
        kept = obj is not None and (obj.current or is_used(obj))
        return super().has_delete_permission(request, obj) and not kept

    def has_copy_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_add_permission(request)

    def has_make_current_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Whether this person may, and the version is not current already."""
        if not self.has_change_permission(request):
            return False
        preset = self.get_object(request, unquote(object_id))
        return preset is not None and not preset.current and bool(preset.renditions.all())

    def page_context(self, request: HttpRequest, found: Preset) -> dict[str, Any]:
        return {"used": is_used(found), "preset": found}

    @button(
        "Copy as a new version",
        permission="copy",
        question="The copy can be edited until its first job. Uploads get it once it has been made current.",
        icon="content_copy",
    )
    def copy_as_new_version(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        copy = presets.copy_as_new_version(get_object_or_404(Preset, pk=unquote(object_id)))
        self.log_addition(request, copy, "Copied as a new version.")
        self.message_user(request, f"This is {copy}. Edit it, then make it current.", messages.SUCCESS)
        return redirect_to(request, reverse("admin:media_jobs_preset_change", args=[copy.pk]))

    def get_actions_submit_line(self, request: HttpRequest, object_id: Any) -> list[Any]:
        may = self.has_make_current_permission(request, str(object_id))
        found: list[Any] = super().get_actions_submit_line(request, object_id)  # type: ignore[misc]
        return found if may else []

    @action(description="Save and make current", icon="check_circle")  # type: ignore[untyped-decorator]
    def make_current(self, request: HttpRequest, preset: Preset) -> None:
        """Note that it is asked for: what stands in the form is saved first, its renditions as well."""
        vars(request)[_TO_BE_CURRENT] = True

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if _TO_BE_CURRENT in vars(request):
            preset = Preset.objects.get(pk=form.instance.pk)
            presets.make_current(preset)
            self.log_change(request, preset, "Made current.")
            text = f"New uploads get {preset}. Pictures that exist stay as they are."
            self.message_user(request, text, messages.SUCCESS)

    @admin.display(description="Renditions")
    def made_of(self, preset: Preset) -> str:
        return ", ".join(f"{r.name} {r.side_px} {r.format}" for r in preset.renditions.all())

    @admin.display(description="Status")
    def status(self, preset: Preset) -> SafeString:
        if preset.current:
            return cells.label("current", "success")
        return cells.label("former", "") if is_used(preset) else cells.label("draft", "info")
