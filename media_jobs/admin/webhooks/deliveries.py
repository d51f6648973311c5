"""What was sent to webhooks, and what came of it; sending it again."""

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.filters import DateFieldListFilter
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.admin.base import ReadOnlyAdmin, button, redirect_to
from media_jobs.admin.webhooks import cells as webhook_cells
from media_jobs.models import Job, WebhookDelivery
from media_jobs.services.webhooks import replaying


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin[WebhookDelivery]):
    list_display = ("name", "state_label", "outcome", "when", "tries", "receiver", "made")
    list_display_links = ("name",)
    list_filter = ("state", "type", ("endpoint", admin.RelatedOnlyFieldListFilter), ("created_at", DateFieldListFilter))
    list_select_related = ("endpoint",)
    search_fields = ("endpoint__owner", "code", "message_id")
    search_ids = ("pk", "job_id", "endpoint")
    search_help_text = "Job, webhook, owner or code"
    ordering = ("-id",)
    actions = ("replay",)
    actions_detail = ("replay_this",)
    change_form_outer_before_template = "admin/media_jobs/webhookdelivery/outcome.html"
    change_form_outer_after_template = "admin/media_jobs/webhookdelivery/payload.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("endpoint", "owner"),
                    ("type", "job"),
                    ("event_number", "message_id"),
                    ("created_at", "ended_at"),
                    ("attempts", "next_at"),
                    ("response_status", "answered_in"),
                )
            },
        ),
    )
    readonly_fields = ("owner", "job", "answered_in")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.replay_webhookdelivery")

    def has_replay_this_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown on this delivery's page."""
        if object_id is None or not self.has_replay_permission(request):
            return False
        found = self.get_object(request, unquote(object_id))
        return found is not None and found.endpoint.disabled_at is None

    @admin.action(description="Send again", permissions=["replay"])
    def replay(self, request: HttpRequest, deliveries: QuerySet[WebhookDelivery]) -> None:
        chosen = WebhookDelivery.objects.filter(pk__in=deliveries.order_by().values("pk"))
        of, sent = chosen.count(), replaying.replay_all(chosen)
        left = f", {of - sent:,} left as they are: in hand, or of disabled webhooks" if of > sent else ""
        self.message_user(request, f"{sent:,} sent again{left}.", messages.SUCCESS if sent else messages.WARNING)

    @button(
        "Send again",
        permission="replay_this",
        question="The same payload is sent under the same id, whether or not it was taken before.",
        icon="replay",
        variant="primary",
    )
    def replay_this(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        self.replay(request, WebhookDelivery.objects.filter(pk=unquote(object_id)))
        return redirect_to(request, reverse("admin:media_jobs_webhookdelivery_change", args=[object_id]))

    def page_context(self, request: HttpRequest, found: WebhookDelivery) -> dict[str, Any]:
        return {
            "title": f"{webhook_cells.name(found)} to {found.endpoint}",
            "subtitle": None,
            "delivery": found,
            "state": cells.state_label(found.state),
            "outcome": webhook_cells.outcome(found),
            "when": webhook_cells.when(found),
            "payload": json.dumps(json.loads(found.payload), indent=2, ensure_ascii=False),
            "may_replay": self.has_replay_this_permission(request, str(found.pk)),
        }

    @admin.display(description="Event", ordering="type")
    def name(self, delivery: WebhookDelivery) -> str:
        return webhook_cells.name(delivery)

    @admin.display(description="State", ordering="state")
    def state_label(self, delivery: WebhookDelivery) -> SafeString:
        return cells.state_label(delivery.state)

    @admin.display(description="Last attempt", ordering="code")
    def outcome(self, delivery: WebhookDelivery) -> SafeString:
        return webhook_cells.outcome(delivery)

    @admin.display(description="Ended, or next")
    def when(self, delivery: WebhookDelivery) -> SafeString:
        return webhook_cells.when(delivery)

    @admin.display(description="Attempts", ordering="attempts")
    def tries(self, delivery: WebhookDelivery) -> int:
        return delivery.attempts

    @admin.display(description="Webhook")
    def receiver(self, delivery: WebhookDelivery) -> SafeString:
        return cells.link("webhookendpoint", delivery.endpoint_id, delivery.endpoint)

    @admin.display(description="Made", ordering="id")
    def made(self, delivery: WebhookDelivery) -> SafeString:
        return cells.ago(delivery.created_at)

    @admin.display(description="Owner")
    def owner(self, delivery: WebhookDelivery) -> str:
        return delivery.endpoint.owner

    @admin.display(description="Job")
    def job(self, delivery: WebhookDelivery) -> SafeString:
        if delivery.job_id is None or not Job.objects.filter(pk=delivery.job_id).exists():
            return cells.NOTHING
        return cells.link("job", delivery.job_id, delivery.job_id)

    @admin.display(description="Answered in")
    def answered_in(self, delivery: WebhookDelivery) -> str:
        return "–" if delivery.response_ms is None else cells.span(delivery.response_ms / 1000)
