"""The sidebar, the tabs over the list of jobs, and the first page. The settings name these by dotted path."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from media_jobs.admin import queries
from media_jobs.admin.home import page as home
from media_jobs.library import failures as failure_lists
from media_jobs.models import Job
from media_jobs.states import JobState


@dataclass(frozen=True, slots=True)
class Page:
    """A list of one model, for those who may view it."""

    title: str
    icon: str
    model: str  #: app label and model's name, as in a URL's name
    view: str = ""  #: the name of a page of the desk, in place of the list of the model
    right: str = ""  #: the permission that it takes, in place of that to view the model

    def item(self) -> dict[str, Any]:
        link = reverse(self.view or f"admin:{self.model}_changelist")
        return {"title": self.title, "icon": self.icon, "link": link}

    def open_to(self, request: HttpRequest) -> bool:
        if self.right:
            return request.user.has_perm(self.right)
        app, name = self.model.rsplit("_", 1)
        return request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}")


JOBS = Page("Jobs", "manufacturing", "media_jobs_job")
LIBRARY = Page("Library", "photo_library", "media_jobs_original", view="desk:library")
INBOX = Page("Failures", "broken_image", "media_jobs_job", view="desk:inbox")
GROUPS = {
    "Pictures": (
        LIBRARY,
        INBOX,
    ),
    "Web versions": (
        Page("Presets", "tune", "media_jobs_preset", view="desk:presets"),
        Page("Runs", "replay", "media_jobs_reprocessrun"),
        Page("Web versions", "burst_mode", "media_jobs_derivative"),
    ),
    "Cut-over": (
        Page("Workbench", "compare", "media_jobs_shadow", view="desk:cutover"),
        Page("Flags", "toggle_on", "media_jobs_featureflag", view="desk:flags"),
    ),
    "Instructions": (
        Page("Instructions", "checklist", "media_jobs_instruction"),
        Page("Files", "draft", "media_jobs_instructiondetail"),
        Page("Products", "inventory_2", "media_jobs_product"),
        Page("Messages not understood", "mark_email_unread", "media_jobs_deadletter"),
    ),
    "People": (
        Page("People", "person", "auth_user"),
        Page("Groups", "group", "auth_group"),
        Page("Changes", "history_edu", "media_jobs_change"),
    ),
    "Technical": (
        JOBS,
        Page("Queues", "queue", "media_jobs_job", view="desk:queues", right="media_jobs.view_maintenancetask"),
        Page("Preset versions", "tune", "media_jobs_preset"),
        Page("All originals", "list", "media_jobs_original"),
        Page("Stored amounts", "database", "media_jobs_storedentry"),
        Page("API keys", "key", "media_jobs_apikey"),
        Page("Webhooks", "webhook", "media_jobs_webhookendpoint"),
        Page("Deliveries", "send", "media_jobs_webhookdelivery"),
        Page("Job events", "history", "media_jobs_jobevent"),
        Page("Housekeeping", "cleaning_services", "media_jobs_maintenancetask"),
    ),
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages that this person may see, in groups; the number of failures to decide about is a badge."""
    start = {"title": None, "items": [{"title": "Home", "icon": "home", "link": reverse("admin:index")}]}
    groups = _groups(request)
    all_originals = reverse("admin:media_jobs_original_changelist")
    of_a_picture = request.path.startswith(all_originals) and request.path != all_originals
    for item in (item for group in groups for item in group["items"]):
        if item["title"] == INBOX.title:
            item.update(_badge())
        if of_a_picture:  # by its address it belongs to the table of originals
            item["active"] = item["title"] == LIBRARY.title
    return [start, *groups]


def _groups(request: HttpRequest) -> list[dict[str, Any]]:
    groups = [
        {"title": title, "items": [page.item() for page in pages if page.open_to(request)]}
        for title, pages in GROUPS.items()
    ]
    return [group for group in groups if group["items"]]


def _badge() -> dict[str, str]:
    """Say how many failures nobody has decided about."""
    unseen = failure_lists.count(at_most=queries.BADGE_MOST + 1)
    shown = f"{queries.BADGE_MOST}+" if unseen > queries.BADGE_MOST else str(unseen)
    return {"badge": f"{shown} failed", "badge_variant": "danger"} if unseen else {}


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
    """Add what needs somebody, `tiles` (a count with a link to its list each), and links to all lists."""
    context["title"] = "Home"
    # Not called `items`: a template would find the method of the dictionary.
    context["groups"] = [{"title": g["title"], "pages": g["items"]} for g in _groups(request)]
    if JOBS.open_to(request):
        context["tiles"] = _tiles()
    return {**context, **home.context(request)}


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
