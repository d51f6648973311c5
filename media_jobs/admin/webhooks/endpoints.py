"""Webhooks: registering, testing, disabling; what comes of their deliveries is on pages of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from media_jobs.admin import cells
from media_jobs.admin.base import ServiceAdmin, button, redirect_to
from media_jobs.admin.webhooks import cells as webhook_cells
from media_jobs.errors import MediaError
from media_jobs.models import WebhookEndpoint
from media_jobs.selectors import newest_deliveries
from media_jobs.services.webhooks import endpoints
from media_jobs.states import TOLD_BY_DEFAULT, WebhookEvent

_SHOWN_DELIVERIES = 10


class WebhookForm(forms.ModelForm[WebhookEndpoint]):
    """The form of a webhook. `url` is checked as for callers of the API."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://example.org/hooks/images"}),
        help_text="Events are posted to it. It begins with https:// and is on the public internet.",
    )
    event_types = forms.MultipleChoiceField(
        label="Events",
        choices=[(told.value, told.value) for told in WebhookEvent if told is not WebhookEvent.TEST],
        initial=[told.value for told in TOLD_BY_DEFAULT],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Which are sent.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("owner", "url", "event_types")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            endpoints.check_url(url)
        except MediaError as error:
            raise ValidationError(str(error)) from error
        return url


@contextmanager
def _gone_is_404() -> Iterator[None]:
    """Whatever is asked of a webhook that somebody deletes at this moment: there is none."""
    try:
        yield
    except WebhookEndpoint.DoesNotExist:
        raise Http404 from None


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ServiceAdmin[WebhookEndpoint]):
    form = WebhookForm
    fields = ("owner", "url", "event_types")
    list_display = ("host", "status", "owner", "types", "made")
    list_display_links = ("host",)
    list_filter = (webhook_cells.StatusFilter,)
    list_fullwidth = True
    search_fields = ("owner", "url")
    search_help_text = "Owner or address"
    ordering = ("-id",)
    actions_detail = ("send_test", "new_secret", "disable", "enable")
    change_form_outer_before_template = "admin/media_jobs/webhookendpoint/status.html"
    change_form_outer_after_template = "admin/media_jobs/webhookendpoint/deliveries.html"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # one at a time: each has consumers who would have to know

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> tuple[str, ...]:
        return ("owner",) if obj else ()

    # --- adding and changing ----------------------------------------------------------------------

    @_gone_is_404()
    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: "forms.ModelForm[WebhookEndpoint]", change: bool
    ) -> None:
        if change:
            endpoints.change(obj, url=obj.url, event_types=obj.event_types)
            return
        made = endpoints.create(obj.owner, obj.url, obj.event_types)
        obj.pk, obj.secret = made.pk, made.secret

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show_secret(request, obj, "The webhook is registered")

    def _show_secret(
        self, request: HttpRequest, endpoint: WebhookEndpoint, title: str, *, asked: bool = False
    ) -> HttpResponse:
        """Show the secret, this once: it goes into no message, session or log. asked: only ask for a new one."""
        page = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "webhook": endpoint,
            "secret": "" if asked else endpoint.secret,
            "both_valid_h": int(endpoints.BOTH_VALID.total_seconds() // 3600),
        }
        return TemplateResponse(
            request, "admin/media_jobs/webhookendpoint/secret.html", page, headers={"Cache-Control": "no-store"}
        )

    # --- buttons ----------------------------------------------------------------------------------

    def has_send_test_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("media_jobs.test_webhookendpoint") and self._is_enabled(request, object_id) is True

    def has_new_secret_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_change_permission(request)

    def has_disable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_change_permission(request) and self._is_enabled(request, object_id) is True

    def has_enable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.has_change_permission(request) and self._is_enabled(request, object_id) is False

    def _is_enabled(self, request: HttpRequest, object_id: str | None) -> bool | None:
        """None where there is no such webhook."""
        found = self.get_object(request, unquote(object_id)) if object_id else None
        return found.disabled_at is None if found else None

    @button(
        "Send a test",
        permission="send_test",
        question="A worker sends the event webhook.test, once. The deliveries below show what comes of it.",
        icon="send",
        variant="primary",
        do="Send it",
    )
    @_gone_is_404()
    def send_test(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        try:
            delivery = endpoints.send_test(_found(object_id))
        except MediaError as error:  # somebody has disabled it
            self.message_user(request, str(error), messages.WARNING)
            return redirect_to(request, reverse("admin:media_jobs_webhookendpoint_change", args=[object_id]))
        self.message_user(request, "A worker sends it within seconds.", messages.SUCCESS)
        return redirect_to(request, reverse("admin:media_jobs_webhookdelivery_change", args=[delivery.pk]))

    @action(description="New secret", permissions=["new_secret"], icon="key")  # type: ignore[untyped-decorator]
    @_gone_is_404()
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first; the answer to the question is the page with the secret."""
        endpoint = _found(object_id)
        if request.method != "POST":
            return self._show_secret(request, endpoint, "New secret", asked=True)
        endpoints.rotate_secret(endpoint)
        self.log_change(request, endpoint, "Got a new secret.")
        return self._show_secret(request, endpoint, "The new secret")

    @button(
        "Disable",
        permission="disable",
        question="Nothing more is sent. What waits is kept; what happens meanwhile it never hears of.",
        icon="notifications_off",
        do="Disable it",
    )
    def disable(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        endpoint = _found(object_id)
        if endpoints.disable(endpoint, f"{request.user} has disabled it in the admin."):
            self.log_change(request, endpoint, "Disabled.")
        return redirect_to(request, reverse("admin:media_jobs_webhookendpoint_change", args=[object_id]))

    @button(
        "Enable",
        permission="enable",
        question="What waits is sent, and all events from now on; those since it was disabled are not.",
        icon="notifications_active",
        variant="primary",
    )
    def enable(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        endpoint = _found(object_id)
        if endpoints.enable(endpoint):
            self.log_change(request, endpoint, "Enabled.")
            self.message_user(request, "It is enabled.", messages.SUCCESS)
        return redirect_to(request, reverse("admin:media_jobs_webhookendpoint_change", args=[object_id]))

    # --- pages ------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, found: WebhookEndpoint) -> dict[str, Any]:
        return {
            "title": f"Webhook of {found.owner}",
            "subtitle": None,
            "webhook": found,
            "status": webhook_cells.status(found),
            "both_valid": len(found.secrets(timezone.now())) > 1,
            "deliveries": webhook_cells.rows(newest_deliveries(found, at_most=_SHOWN_DELIVERIES)),
            "buttons": [
                (name, title)
                for name, title in (("send_test", "Send a test"), ("disable", "Disable"), ("enable", "Enable"))
                if getattr(self, f"has_{name}_permission")(request, str(found.pk))
            ],
            "may_rotate": self.has_new_secret_permission(request),
        }

    @admin.display(description="Address", ordering="url")
    def host(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint)

    @admin.display(description="Status")
    def status(self, endpoint: WebhookEndpoint) -> SafeString:
        return webhook_cells.status(endpoint)

    @admin.display(description="Events")
    def types(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.event_types)

    @admin.display(description="Registered", ordering="id")
    def made(self, endpoint: WebhookEndpoint) -> SafeString:
        return cells.ago(endpoint.created_at)


def _found(object_id: str) -> WebhookEndpoint:
    return get_object_or_404(WebhookEndpoint, pk=unquote(object_id))
