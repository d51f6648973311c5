"""The sidebar, the tabs over the list of jobs, and the first page. The settings name these by dotted path."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from media_jobs.admin import queries
from media_jobs.models import Job
from media_jobs.states import JobState


@dataclass(frozen=True, slots=True)
class Page:
    """A list of one model, for those who may view it."""

    title: str
    icon: str
    model: str  #: app label and model's name, as in a URL's name

    def item(self) -> dict[str, Any]:
        return {"title": self.title, "icon": self.icon, "link": reverse(f"admin:{self.model}_changelist")}

    def open_to(self, request: HttpRequest) -> bool:
        app, name = self.model.rsplit("_", 1)
        return request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}")


JOBS = Page("Jobs", "manufacturing", "media_jobs_job")
GROUPS = {
    "Pictures": (
        Page("Originals", "photo_library", "media_jobs_original"),
        Page("Derivatives", "burst_mode", "media_jobs_derivative"),
        Page("Stored amounts", "database", "media_jobs_storedentry"),
    ),
    "Jobs": (
        JOBS,
        Page("Reprocess runs", "replay", "media_jobs_reprocessrun"),
        Page("Job events", "history", "media_jobs_jobevent"),
        Page("Housekeeping", "cleaning_services", "media_jobs_maintenancetask"),
    ),
    "Instructions": (
        Page("Instructions", "checklist", "media_jobs_instruction"),
        Page("Files", "draft", "media_jobs_instructiondetail"),
        Page("Products", "inventory_2", "media_jobs_product"),
        Page("Dead letters", "mark_email_unread", "media_jobs_deadletter"),
    ),
    "Presets": (Page("Presets", "tune", "media_jobs_preset"),),
    "Webhooks": (
        Page("Webhooks", "webhook", "media_jobs_webhookendpoint"),
        Page("Deliveries", "send", "media_jobs_webhookdelivery"),
    ),
    "People and programs": (
        Page("Users", "person", "auth_user"),
        Page("Groups", "group", "auth_group"),
        Page("API keys", "key", "media_jobs_apikey"),
    ),
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages that this person may see, in groups; the number of failed jobs is a badge."""
    start = {"title": None, "items": [{"title": "Overview", "icon": "home", "link": reverse("admin:index")}]}
    groups = _groups(request)
    for item in (item for group in groups for item in group["items"]):
        if item["title"] == JOBS.title:
            item.update(_failed_badge())
    return [start, *groups]


def _groups(request: HttpRequest) -> list[dict[str, Any]]:
    groups = [
        {"title": title, "items": [page.item() for page in pages if page.open_to(request)]}
        for title, pages in GROUPS.items()
    ]
    return [group for group in groups if group["items"]]


def _failed_badge() -> dict[str, str]:
    failed = queries.failed_jobs()
    return {"badge": f"{failed!s} failed", "badge_variant": "danger"} if failed else {}


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Return a tab for each state of a job."""
    base = reverse("admin:media_jobs_job_changelist")
    chosen = request.GET.get("state__exact", "")
    items = [
        {
            "title": state.capitalize() or "All",
            "link": f"{base}?{urlencode({'state__exact': state})}" if state else base,
            "active": chosen == state,
        }
        for state in ("", JobState.FAILED, *(state for state in JobState if state != JobState.FAILED))
    ]
    return [{"models": ["media_jobs.job"], "items": items}]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add `tiles` (a count with a link to its list each) for those who may see jobs, and links to all lists."""
    context["title"] = "Overview"
    # Not called `items`: a template would find the method of the dictionary.
    context["groups"] = [{"title": g["title"], "pages": g["items"]} for g in _groups(request)]
    if JOBS.open_to(request):
        context["tiles"] = _tiles()
    return context


def _tiles() -> list[dict[str, Any]]:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    done_today = {"state__exact": str(JobState.DONE), "finished_at__gte": today.isoformat()}
    tiles: list[tuple[str, str, dict[str, str], str]] = [
        ("Queued", "hourglass_empty", {"state__exact": str(JobState.QUEUED)}, "waiting for a worker"),
        ("Processing", "autorenew", {"state__exact": str(JobState.PROCESSING)}, "being rendered now"),
        ("Failed", "broken_image", {"state__exact": str(JobState.FAILED)}, "need attention"),
        ("Done today", "task_alt", done_today, "since midnight, " + timezone.get_current_timezone_name()),
    ]
    base = reverse("admin:media_jobs_job_changelist")
    return [
        {
            "title": title,
            "icon": icon,
            "note": note,
            "count": queries.count_at_most(Job.objects.filter(**wanted), queries.LIST_MOST),
            "link": f"{base}?{urlencode(wanted)}",
        }
        for title, icon, wanted, note in tiles
    ]
