"""Jobs: why one failed or waits, retrying and cancelling."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.filters import DateFieldListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_jobs.admin import cells, queries
from media_jobs.admin.base import ReadOnlyAdmin, button, caller_of, redirect_to
from media_jobs.admin.jobs import failures, status_text, timeline
from media_jobs.models import Derivative, Job
from media_jobs.services.jobs import lifecycle
from media_jobs.states import JobState

#: The fields of the list's form that the confirmation sends back, so that the same jobs are chosen.
_ASKED = ("action", "select_across", "index", ACTION_CHECKBOX_NAME)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin[Job]):
    list_display = ("thumbnail", "picture", "state_label", "failure", "preset", "attempts", "lane", "age")
    list_display_links = ("thumbnail", "picture")
    list_filter = (
        "state",
        failures.FailureFilter,
        "preset",
        "lane",
        ("created_at", DateFieldListFilter),
        ("finished_at", DateFieldListFilter),
    )
    list_select_related = ("original", "preset")
    search_name = "original"
    search_fields = ("owner", "code", "worker")
    search_ids = ("pk", "original")
    search_sums = ("original__sha256",)
    search_help_text = "File name, id, owner, code or worker"
    ordering = ("-id",)
    list_before_template = "admin/media_jobs/job/causes.html"
    actions = ("retry", "cancel")
    actions_detail = ("retry_this", "cancel_this")
    change_form_outer_before_template = "admin/media_jobs/job/outcome.html"
    change_form_outer_after_template = "admin/media_jobs/job/timeline.html"
    fieldsets = (
        (
            "Job",
            {
                "fields": (
                    ("original", "preset"),
                    ("wanted_names", "lane_name"),
                    ("attempts", "worker"),
                    ("stage", "progress"),
                    ("created_at", "started_at"),
                    ("finished_at", "not_before"),
                    ("owner", "id"),
                )
            },
        ),
        (
            "Cost",
            {
                "fields": (("render_time", "cpu_time", "peak_memory"),),
                "description": "The latest attempt that reached rendering; the history has all attempts.",
            },
        ),
        ("In the log", {"fields": (("request_id", "traceparent"),), "classes": ["collapse"]}),
    )
    readonly_fields = ("wanted_names", "lane_name", "attempts", "render_time", "cpu_time", "peak_memory")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and request.GET.get("state__exact") == JobState.FAILED:
            extra_context = {**(extra_context or {}), "causes": failures.causes(request)}
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).prefetch_related(queries.current_pictures("original__derivatives"))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.retry_job")

    def has_retry_this_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown on this job's page."""
        if object_id is None or not self.has_retry_permission(request):
            return False
        job = self.get_object(request, unquote(object_id))
        return job is not None and lifecycle.may_retry(job)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.cancel_job")

    def has_cancel_this_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is shown on this job's page."""
        if object_id is None or not self.has_cancel_permission(request):
            return False
        job = self.get_object(request, unquote(object_id))
        return job is not None and lifecycle.may_cancel(job)

    @admin.action(description="Retry", permissions=["retry"])
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        outcome = lifecycle.retry_all(_plain(jobs), actor=caller_of(request.user))
        self._report(request, f"{outcome.queued:,} queued again", changed=outcome.queued, left=outcome.left)

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Ask first; the confirmation comes back with `sure`."""
        if request.POST.get("sure"):
            outcome = lifecycle.cancel_all(_plain(jobs), actor=caller_of(request.user))
            self._report(request, f"{outcome.cancelled:,} cancelled", changed=outcome.cancelled, left=outcome.left)
            return None
        counts = {
            state: queries.count_at_most(jobs.filter(state=state).order_by("-pk"), queries.LIST_MOST)
            for state in JobState
            if lifecycle.may_cancel(Job(state=state))
        }
        question = {
            **self.admin_site.each_context(request),
            "title": "Cancel jobs",
            "opts": self.opts,
            "counts": counts,
            "nothing": not any(counts.values()),
            "posted": [(name, value) for name in _ASKED for value in request.POST.getlist(name)],
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/media_jobs/job/cancel.html", question)

    def _report(self, request: HttpRequest, what: str, *, changed: int, left: int) -> None:
        rest = f", {left:,} left as they are" if left else ""
        self.message_user(request, f"{what}{rest}.", messages.SUCCESS if changed else messages.WARNING)

    @button(
        "Retry",
        permission="retry_this",
        question="The job is queued again, with new attempts. What it has made before stays until it is done.",
        icon="replay",
        variant="primary",
    )
    def retry_this(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        self.retry(request, Job.objects.filter(pk=unquote(object_id)))
        return redirect_to(request, reverse("admin:media_jobs_job_change", args=[object_id]))

    @button(
        "Cancel job",
        permission="cancel_this",
        question="It stops, and what it has made so far is discarded. It can be queued again later.",
        icon="block",
        do="Stop it",
    )
    def cancel_this(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        outcome = lifecycle.cancel_all(Job.objects.filter(pk=unquote(object_id)), actor=caller_of(request.user))
        self._report(request, f"{outcome.cancelled} cancelled", changed=outcome.cancelled, left=outcome.left)
        return redirect_to(request, reverse("admin:media_jobs_job_change", args=[object_id]))

    def page_context(self, request: HttpRequest, found: Job) -> dict[str, Any]:
        return {
            "title": f"Job for {found.original}",
            "subtitle": None,
            "job": found,
            "thumbnail": self.thumbnail(found),
            "state": cells.state_label(found.state),
            "duration": cells.duration(found),
            "status_text": status_text.sentences(found),
            "timeline": timeline.of(found),
            "may_retry": self.has_retry_permission(request) and lifecycle.may_retry(found),
            "may_cancel": self.has_cancel_permission(request) and lifecycle.may_cancel(found),
        }

    @admin.display(description="Picture")
    def thumbnail(self, job: Job) -> SafeString:
        pictures = cast("list[Derivative]", job.original.pictures)  # type: ignore[attr-defined]  # prefetched
        return cells.thumbnail(pictures, job.original, job.state)

    @admin.display(description="File name", ordering="original__filename")
    def picture(self, job: Job) -> str:
        return str(job.original)

    @admin.display(description="State", ordering="state")
    def state_label(self, job: Job) -> SafeString:
        return cells.state_label(job.state)

    @admin.display(description="Failure", ordering="code")
    def failure(self, job: Job) -> SafeString:
        return cells.failure(job.code, job.detail)

    @admin.display(description="Attempt", ordering="attempt")
    def attempts(self, job: Job) -> str:
        return f"{job.attempt} of {job.max_attempts}"

    @admin.display(description="Age", ordering="id")
    def age(self, job: Job) -> SafeString:
        created, took = cells.ago(job.created_at), cells.duration(job)
        return format_html('{}<br><span class="gi-quiet">{}</span>', created, took) if took else created

    @admin.display(description="Lane")
    def lane_name(self, job: Job) -> str:
        return status_text.lane(job)

    @admin.display(description="Renditions")
    def wanted_names(self, job: Job) -> str:
        return ", ".join(job.wanted)

    @admin.display(description="Rendering")
    def render_time(self, job: Job) -> str:
        return _time(job.render_ms)

    @admin.display(description="Processor time")
    def cpu_time(self, job: Job) -> str:
        return _time(job.cpu_ms)

    @admin.display(description="Peak memory")
    def peak_memory(self, job: Job) -> str:
        return cells.size(job.peak_memory_bytes)


def _time(ms: int | None) -> str:
    return "–" if ms is None else cells.span(ms / 1000)


def _plain(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Return the same jobs without what the list loads and joins for each."""
    return Job.objects.filter(pk__in=jobs.order_by().values("pk"))
