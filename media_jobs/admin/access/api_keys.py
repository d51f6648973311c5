"""API keys: who holds one, what for, until when, and when it was last used."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.base import ModelAdmin, button, caller_of, redirect_to
from media_jobs.models import ApiKey
from media_jobs.services.access import api_keys

#: Where a row that was just made holds its key, until the answer is sent.
_WHOLE = "whole"
_SCOPES = ("may_upload", "may_read", "may_manage", "may_shadow")


class ApiKeyForm(ModelForm[ApiKey]):
    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not any(found.get(scope) for scope in _SCOPES):
            raise ValidationError("A key has to be for something: choose upload, read, manage or shadow.")
        return found


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin[ApiKey]):
    form = ApiKeyForm
    list_display = ("name", "begins_with", "state", "scope_labels", "expires", "last_used", "made")
    list_filter = ("acts_for_users",)
    search_fields = ("name", "prefix")
    search_help_text = "Name, or the beginning of a key after gallimg_"
    list_fullwidth = True
    show_full_result_count = False
    actions_detail = ("revoke",)
    readonly_fields = ("begins_with", "state", "last_used", "made", "made_by")

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        scopes = ("For what", {"fields": (_SCOPES[:2], _SCOPES[2:], "acts_for_users")})
        if obj is None:
            return ((None, {"fields": ("name", "expires_at")}), scopes)
        known = (("begins_with", "state"), ("last_used", "made"), "made_by")
        return ((None, {"fields": ("name", "expires_at", *known)}), scopes)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # its uploads name it as their owner

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.revoked_at is None)

    def has_revoke_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        key = self.get_object(request, unquote(object_id)) if object_id else None
        return key is not None and self.has_change_permission(request, key)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = caller_of(request.user).id
            vars(obj)[_WHOLE] = api_keys.assign(obj)
        super().save_model(request, obj, form, change)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **how: Any) -> HttpResponse:
        """After a key was made there is one thing to do: to copy it."""
        context["show_save_and_add_another"] = context["show_save_and_continue"] = False
        return super().render_change_form(request, context, *args, **how)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Answer with the key itself, instead of sending the browser on: this is the one moment that it exists."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The key of {obj.name}",
            "opts": self.opts,
            "key": obj,
            "whole": vars(obj)[_WHOLE],
            "mark": api_keys.MARK,
        }
        return TemplateResponse(request, "admin/media_jobs/apikey/created.html", context)

    @button(
        "Revoke",
        permission="revoke",
        question="Whoever calls with this key is refused from now on. There is no way back; a new key takes its place.",
        icon="block",
    )
    def revoke(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        key = get_object_or_404(ApiKey, pk=unquote(object_id))
        if api_keys.revoke(key.prefix, by=caller_of(request.user)):
            self.log_change(request, key, "Revoked.")
            self.message_user(request, f"{key} is revoked.", messages.SUCCESS)
        return redirect_to(request, reverse("admin:media_jobs_apikey_change", args=[key.pk]))

    @admin.display(description="Key", ordering="prefix")
    def begins_with(self, key: ApiKey) -> str:
        return f"{api_keys.MARK}{key.prefix}_…"

    @admin.display(description="State")
    def state(self, key: ApiKey) -> SafeString:
        if key.revoked_at:
            return cells.label("revoked", "default")
        if key.expires_at and key.expires_at <= timezone.now():
            return cells.label("expired", "danger")
        return cells.label("holds", "success")

    @admin.display(description="For")
    def scope_labels(self, key: ApiKey) -> str:
        return ", ".join(sorted(key.scopes)) + (" – for users, too" if key.acts_for_users else "")

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return f"{timezone.localtime(key.expires_at):%-d %b %Y}" if key.expires_at else "never"

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> SafeString:
        return cells.ago(key.last_used_at)

    @admin.display(description="Made by")
    def made_by(self, key: ApiKey) -> str:
        return names_of([key.created_by])[key.created_by]

    @admin.display(description="Made", ordering="id")
    def made(self, key: ApiKey) -> SafeString:
        return cells.ago(key.created_at)
