"""What the first page shows at once, to whom may see it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from media_jobs.admin import cells, queries
from media_jobs.admin.flags import views as flags
from media_jobs.admin.library import chips
from media_jobs.admin.library.tiles import tiles_of
from media_jobs.library import failures, overview, rows, shadows
from media_jobs.library.filters import Filter
from media_jobs.states import RunState

_LATEST = 8
_RUNS: dict[str, str] = {
    RunState.DRAFT: "waits to be confirmed",
    RunState.PAUSED: "is paused",
    RunState.INTERRUPTED: "was interrupted",
    RunState.FINISHED: "is finished: accept it, or roll it back",
}


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what the page's template needs, as far as this person may see it."""
    has = request.user.has_perm
    found: dict[str, Any] = {"may_add": has("media_jobs.add_original"), "may_view": has("media_jobs.view_original")}
    needs: list[dict[str, str]] = []
    if has("media_jobs.view_job"):
        needs += _failures()
        found |= work()
    if has("media_jobs.view_original"):
        needs += _uncredited()
        found["latest"] = tiles_of(rows.page(Filter(), cursor="", size=_LATEST).pictures)
    if has("media_jobs.view_reprocessrun"):
        needs += [
            {
                "title": f"Run “{run}” {_RUNS[run.state]}",
                "count": "",
                "todo": "",
                "link": reverse("admin:media_jobs_reprocessrun_change", args=[run.pk]),
            }
            for run in overview.runs_to_decide()
        ]
    if has("media_jobs.view_shadow"):
        needs += _to_judge()
    if has(flags.VIEW):
        found["fallen_flags"] = flags.fallen()
    found["may_view_presets"] = has("media_jobs.view_preset")
    return {**found, "needs": needs}


def work() -> dict[str, Any]:
    """Return what waits in each lane, who works on what, and whether there is anything of that."""
    waiting = overview.waiting_by_lane(at_most=queries.LIST_MOST + 1)
    at_work = overview.at_work()
    return {
        "lanes": [(lane.value, _bounded(count)) for lane, count in waiting.items()],
        "at_work": [{"job": job, "since": cells.ago(job.started_at), "worker": job.worker} for job in at_work],
        "open": bool(at_work) or any(waiting.values()),
    }


def _failures() -> list[dict[str, str]]:
    return [
        {
            "title": one.remedy.title,
            "count": f"{one.count:,}+" if one.more else f"{one.count:,}",
            "todo": one.remedy.todo,
            "link": reverse("desk:inbox") + f"#gi-{one.remedy.name}",
        }
        for one in failures.groups(examples=0)
    ]


def _to_judge() -> list[dict[str, str]]:
    count = shadows.count(at_most=queries.BADGE_MOST + 1)
    if not count:
        return []
    shown = f"{queries.BADGE_MOST}+" if count > queries.BADGE_MOST else str(count)
    todo = "Ours and the site's, side by side: say which is better."
    return [
        {"title": "Pictures that differ from the site's", "count": shown, "todo": todo, "link": reverse("desk:shadows")}
    ]


def _uncredited() -> list[dict[str, str]]:
    count = rows.count(Filter(no_credit=True), at_most=queries.BADGE_MOST + 1)
    if not count:
        return []
    shown = f"{queries.BADGE_MOST}+" if count > queries.BADGE_MOST else str(count)
    link = reverse("desk:library") + chips.address(Filter(no_credit=True))
    todo = "State whom to name, for one or for many at once."
    return [{"title": "Pictures without credit", "count": shown, "todo": todo, "link": link}]


def _bounded(count: int) -> str:
    return f"{queries.LIST_MOST:,}+" if count > queries.LIST_MOST else f"{count:,}"
