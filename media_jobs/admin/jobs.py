"""Jobs: why a picture failed, and trying again."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.filters import DateFieldListFilter
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.db.models import Count, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_jobs.admin import cells, queries
from media_jobs.admin.base import ReadOnlyAdmin, button, caller_of, go_to
from media_jobs.models import Derivative, Job, JobEvent
from media_jobs.services import lifecycle
from media_jobs.states import JobState


class FailureFilter(admin.SimpleListFilter):
    """By code, each with how many failed for it: the commonest cause first."""

    title = "failure"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        failed = Job.objects.filter(state=JobState.FAILED).values("code").annotate(times=Count("id"))
        return [(row["code"], f"{row['code']} ({row['times']})") for row in failed.order_by("-times", "code")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin[Job]):
    list_display = ("thumbnail", "picture", "state_label", "failure", "preset", "attempts", "lane", "age")
    list_display_links = ("thumbnail", "picture")
    list_filter = (
        "state",
        FailureFilter,
        "preset",
        "lane",
        ("created_at", DateFieldListFilter),
        ("finished_at", DateFieldListFilter),
    )
    list_select_related = ("original", "preset")
    search_fields = ("original__filename", "^id", "^original__id", "^original__sha256", "owner", "code", "worker")
    search_help_text = "File name, id, owner, code or worker"
    ordering = ("-id",)
    actions = ("retry",)
    actions_detail = ("retry_this",)
    change_form_outer_before_template = "admin/media_jobs/job/outcome.html"
    change_form_outer_after_template = "admin/media_jobs/job/timeline.html"
    fieldsets = (
        (
            "Job",
            {
                "fields": (
                    ("original", "preset"),
                    ("wanted_names", "lane"),
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
                "description": "Of the latest attempt that came as far as rendering; the history has all.",
            },
        ),
    )
    readonly_fields = ("wanted_names", "attempts", "render_time", "cpu_time", "peak_memory")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).prefetch_related(queries.current_pictures("original__derivatives"))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("media_jobs.retry_job")

    def has_retry_this_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether the button is of use on this job's page."""
        if object_id is None or not self.has_retry_permission(request):
            return False
        job = self.get_object(request, unquote(object_id))
        return job is not None and lifecycle.may_retry(job)

    @admin.action(description="Retry", permissions=["retry"])
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        chosen = Job.objects.filter(pk__in=jobs.order_by().values("pk")).order_by("id")
        outcome = lifecycle.retry_all(chosen, actor=caller_of(request.user))
        left = f", {outcome.left} left as they are" if outcome.left else ""
        level = messages.SUCCESS if outcome.queued else messages.WARNING
        self.message_user(request, f"{outcome.queued} queued again{left}.", level)

    @button(
        "Retry",
        permission="retry_this",
        question="The job is queued again, with new attempts. What it has made before stays until it is done.",
        icon="replay",
        variant="primary",
    )
    def retry_this(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        self.retry(request, Job.objects.filter(pk=unquote(object_id)))
        return go_to(request, reverse("admin:media_jobs_job_change", args=[object_id]))

    def page_context(self, request: HttpRequest, found: Job) -> dict[str, Any]:
        return {
            "title": f"Job for {found.original}",
            "subtitle": None,
            "job": found,
            "thumbnail": self.thumbnail(found),
            "state": cells.state_label(found.state),
            "duration": cells.duration(found),
            "timeline": _timeline(found),
            "may_retry": self.has_retry_this_permission(request, str(found.pk)),
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
        return format_html('{}<br><span class="gi-quiet">{}</span>', cells.ago(job.created_at), cells.duration(job))

    @admin.display(description="Renditions")
    def wanted_names(self, job: Job) -> str:
        return ", ".join(job.wanted)

    @admin.display(description="Rendering")
    def render_time(self, job: Job) -> str:
        return _time(job.render_ms)

    @admin.display(description="Processor time")
    def cpu_time(self, job: Job) -> str:
        return _time(job.cpu_ms)

    @admin.display(description="Memory at its highest")
    def peak_memory(self, job: Job) -> str:
        return cells.size(job.peak_memory_bytes)


@admin.register(JobEvent)
class JobEventAdmin(ReadOnlyAdmin[JobEvent]):
    list_display = ("at", "type", "job_link", "number", "actor")
    list_display_links = ("at", "type")
    list_filter = (("at", DateFieldListFilter),)
    list_select_related = ("job__original",)
    search_fields = ("^job__id", "job__original__filename", "actor", "type")
    search_help_text = "Job, file name, actor or type"
    ordering = ("-id",)
    fields = ("job", "number", "type", "actor", "at", "data")

    @admin.display(description="Job")
    def job_link(self, event: JobEvent) -> SafeString:
        return cells.link("job", event.job_id, event.job.original)


def _time(ms: int | None) -> str:
    return "–" if ms is None else cells.span(ms / 1000)


def _timeline(job: Job) -> list[dict[str, Any]]:
    """The job's history with names instead of ids, oldest first."""
    events = list(job.events.order_by("number"))
    names = _staff_names({event.actor for event in events})
    return [
        {"event": event, "who": names.get(event.actor, event.actor), "facts": _readable(event.data)} for event in events
    ]


def _readable(data: dict[str, Any]) -> list[tuple[str, Any]]:
    return [_fact(name, fact) for name, fact in data.items()]


def _fact(name: str, fact: Any) -> tuple[str, Any]:
    """As a person reads it; a name ends in its unit."""
    if isinstance(fact, list):
        fact = ", ".join(map(str, fact))
    elif name.endswith("_ms"):
        name, fact = name.removesuffix("_ms"), _time(fact)
    elif name.endswith("_bytes"):
        name, fact = name.removesuffix("_bytes"), cells.size(fact)
    return name.replace("_", " "), fact


def _staff_names(actors: set[str]) -> dict[str, str]:
    keys = {actor: actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")}
    users = get_user_model().objects.in_bulk([int(pk) for pk in keys.values() if pk.isdecimal()])
    return {actor: users[int(pk)].get_username() for actor, pk in keys.items() if pk.isdecimal() and int(pk) in users}
