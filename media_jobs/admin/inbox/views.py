"""The failure inbox: what is wrong, how often, an example, and a button that helps."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from media_jobs.admin import cells, desk
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.base import caller_of
from media_jobs.admin.home import page as home
from media_jobs.admin.queries import AtLeast
from media_jobs.callers import Caller
from media_jobs.errors import BadRequest, MediaError
from media_jobs.library import failures as failure_lists
from media_jobs.library import remedies
from media_jobs.library.remedies import Remedy
from media_jobs.models import Job
from media_jobs.services.jobs import lifecycle, triage
from media_jobs.states import Triage

VIEW, TRIAGE, RETRY = "media_jobs.view_job", "media_jobs.triage_job", "media_jobs.retry_job"
_EXAMPLES = 3
_PAGE = 50
_TABS = ((Triage.NEW, "To do"), (Triage.SEEN, "Seen"), (Triage.GIVEN_UP, "Given up"))


@desk.page(VIEW)
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """All groups; each with its count, some examples and its buttons."""
    chosen = _triage(request)
    found = failure_lists.groups(chosen, examples=_EXAMPLES)
    context = {
        "groups": [_group(request, one, chosen) for one in found],
        "tabs": _tabs(chosen),
        "chosen": chosen,
        "work": home.work() if chosen is Triage.NEW else None,
        **_may(request),
    }
    return desk.show(request, "admin/inbox/inbox.html", "Failures", **context)


@desk.page(VIEW)
@require_safe
def group(request: HttpRequest, name: str) -> HttpResponse:
    """All failures of one group, page by page, each to be chosen."""
    remedy, chosen = _remedy(name), _triage(request)
    rows = list(failure_lists.of_remedy(remedy, chosen, before=_uuid(request.GET.get("before")))[: _PAGE + 1])
    names = names_of({job.owner for job in rows})
    context = {
        "remedy": remedy,
        "chosen": chosen,
        "tabs": _tabs(chosen, name),
        "rows": [_row(job, names) for job in rows[:_PAGE]],
        "following": rows[_PAGE - 1].pk if len(rows) > _PAGE else None,
        **_may(request),
    }
    return desk.show(request, "admin/inbox/group.html", remedy.title, **context)


@desk.page(VIEW)
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Do what a button says, to the chosen failures, or to all of the group that were there when the page was made."""
    remedy, chosen = _remedy(request.POST.get("group", "")), _triage(request)
    do = _ACTIONS.get(request.POST.get("do", ""))
    if do is None:
        raise Http404
    needed, change = do
    desk.require(request, needed)
    jobs = _chosen_jobs(request, remedy, chosen)
    try:
        if not jobs:
            raise BadRequest("Choose some first.")
        said = change(request, jobs, caller_of(request.user))
        messages.success(request, said)
    except MediaError as error:
        messages.error(request, str(error))
    back = reverse("desk:inbox_group", args=[remedy.name]) if request.POST.get("from") == "group" else None
    return HttpResponseRedirect(f"{back or reverse('desk:inbox')}?show={chosen.value or 'new'}")


def _retry(request: HttpRequest, jobs: list[UUID], actor: Caller) -> str:
    outcome = lifecycle.retry_all(Job.objects.filter(pk__in=jobs), actor=actor)
    left = f", {outcome.left:,} left as they are" if outcome.left else ""
    return f"{outcome.queued:,} queued again{left}."


def _seen(request: HttpRequest, jobs: list[UUID], actor: Caller) -> str:
    return f"{triage.mark_seen(jobs, actor=actor):,} marked as seen."


def _give_up(request: HttpRequest, jobs: list[UUID], actor: Caller) -> str:
    return f"{triage.give_up(jobs, reason=_text(request, 'reason'), actor=actor):,} given up."


def _reopen(request: HttpRequest, jobs: list[UUID], actor: Caller) -> str:
    return f"{triage.reopen(jobs, actor=actor):,} to be decided about again."


def _tell(request: HttpRequest, jobs: list[UUID], actor: Caller) -> str:
    told = triage.tell_uploaders(jobs, message=_text(request, "message"), actor=actor)
    deaf = f" Of {told.deaf:,} nobody hears: no webhook of their uploaders asks for job.reported." if told.deaf else ""
    return f"The uploaders are told about {told.told:,}.{deaf}"


def _text(request: HttpRequest, name: str) -> str:
    """Return what was written; PostgreSQL stores no NUL."""
    return request.POST.get(name, "").replace("\0", "")


_Do = Callable[[HttpRequest, list[UUID], Caller], str]
_ACTIONS: dict[str, tuple[str, _Do]] = {
    "retry": (RETRY, _retry),
    "seen": (TRIAGE, _seen),
    "give_up": (TRIAGE, _give_up),
    "reopen": (TRIAGE, _reopen),
    "tell": (TRIAGE, _tell),
}


def _chosen_jobs(request: HttpRequest, remedy: Remedy, chosen: Triage) -> list[UUID]:
    until = _uuid(request.POST.get("until"))
    found = failure_lists.of_remedy(remedy, chosen, until=until)
    ticked = [pk for pk in map(_uuid, request.POST.getlist("job")) if pk]
    if ticked:
        found = found.filter(pk__in=ticked)
    elif "all" not in request.POST:
        return []
    return list(found.values_list("pk", flat=True)[: failure_lists.MOST])


def _group(request: HttpRequest, found: failure_lists.Group, chosen: Triage) -> dict[str, Any]:
    names = names_of({job.owner for job in found.examples})
    count = AtLeast(found.count) if found.more else f"{found.count:,}"
    return {
        "remedy": found.remedy,
        "count": str(count),
        "one": found.count == 1 and not found.more,
        "rows": [_row(job, names) for job in found.examples],
        "until": found.examples[0].pk if found.examples else None,
    }


def _row(job: Job, names: dict[str, str]) -> dict[str, Any]:
    return {
        "job": job,
        "name": str(job.original),
        "who": names[job.owner],
        "when": cells.ago(job.finished_at or job.created_at),
        "size": cells.size(job.original.size_bytes),
    }


def _tabs(chosen: Triage, name: str = "") -> list[dict[str, Any]]:
    base = reverse("desk:inbox_group", args=[name]) if name else reverse("desk:inbox")
    return [
        {"title": title, "link": f"{base}?show={kind.value or 'new'}", "active": kind is chosen}
        for kind, title in _TABS
    ]


def _triage(request: HttpRequest) -> Triage:
    said = request.POST.get("show") or request.GET.get("show", "")
    return Triage(said) if said in (Triage.SEEN, Triage.GIVEN_UP) else Triage.NEW


def _may(request: HttpRequest) -> dict[str, bool]:
    return {"may_retry": request.user.has_perm(RETRY), "may_triage": request.user.has_perm(TRIAGE)}


def _remedy(name: str) -> Remedy:
    if name not in remedies.REMEDIES:
        raise Http404
    return remedies.REMEDIES[name]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
