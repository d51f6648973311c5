"""The workbench's pages. Files of the site are private: they are shown here, to whom may see them, and nowhere else."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from media_jobs.admin import cells, desk
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.base import caller_of
from media_jobs.admin.cutover import board, words
from media_jobs.errors import MediaError
from media_jobs.library import shadows
from media_jobs.library.shadows import Filter
from media_jobs.models import Derivative, Shadow
from media_jobs.pipeline.compare.values import Verdict
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, sniff
from media_jobs.ports import ObjectReader
from media_jobs.selectors import derivative_url
from media_jobs.services.cutover import judging, legacy
from media_jobs.states import DerivativeState, ShadowState

VIEW, JUDGE = "media_jobs.view_shadow", "media_jobs.judge_shadow"
_PAGE = 30
_CHUNK_BYTES = 65_536
#: What a browser shows as a picture, and runs nothing of.
_SHOWABLE = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "avif": "image/avif"}
_SHOW_TITLES = {
    shadows.TO_DO: "Needs an eye",
    **words.VERDICTS,
    shadows.BY_PEOPLE: "Judged by people",
}


@desk.page(VIEW)
@require_safe
def scoreboard(request: HttpRequest) -> HttpResponse:
    """How the last days went, and how far that is from enough."""
    return desk.show(request, "admin/cutover/scoreboard.html", "Cut-over", **board.context(), tabs=_tabs("scoreboard"))


@desk.page(VIEW)
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """The pictures of one filter, page by page."""
    chosen = Filter.read(request.GET)
    after = _shadow(request.GET["after"]) if request.GET.get("after") else None
    rows = shadows.page(chosen, after=after, size=_PAGE + 1)
    names = names_of({row.judged_by for row in rows if row.judged_by})
    context = {
        "tabs": _tabs("queue"),
        "chosen": chosen,
        "shows": [_choice(Filter(show), title, chosen.show == show) for show, title in _SHOW_TITLES.items()],
        "reasons": [
            _choice(Filter(chosen.show, reason), words.REASONS.get(reason, reason), chosen.reason == reason, number)
            for reason, number in (shadows.reasons(chosen) if chosen.show == shadows.TO_DO else ())
        ],
        "every_reason": _choice(Filter(chosen.show), "Any reason", not chosen.reason),
        "rows": [_row(shadow, chosen, names) for shadow in rows[:_PAGE]],
        "following": _address("desk:shadows", chosen, after=rows[_PAGE - 1].pk) if len(rows) > _PAGE else None,
    }
    return desk.show(request, "admin/cutover/queue.html", "Pictures beside the site's", **context)


@desk.page(VIEW)
@require_safe
@never_cache
def shadow(request: HttpRequest, shadow_id: UUID) -> HttpResponse:
    """One picture: theirs and ours of a size, one over the other, what was measured, and what to say of it."""
    found, chosen = _shadow(shadow_id), Filter.read(request.GET)
    sizes = words.sizes(found.measures, found.sizes)
    size = _size(sizes, request.GET.get("size", ""))
    before, behind = shadows.preceding(chosen, found), shadows.following(chosen, found)
    context = {
        "tabs": _tabs("queue"),
        "shadow": found,
        "chosen": chosen,
        "query": _query(chosen),
        "list_title": _SHOW_TITLES[chosen.show],
        "list": _address("desk:shadows", chosen),
        "says": words.VERDICTS.get(found.verdict, ""),
        "reason": words.reason(found.verdict, found.reason),
        "sizes": [{**one, "link": _address("desk:shadow", chosen, found, size=one["name"])} for one in sizes],
        "size": size,
        "theirs": _theirs(found, size),
        "ours": _ours(found, size),
        "before": before and _address("desk:shadow", chosen, before),
        "behind": behind and _address("desk:shadow", chosen, behind),
        "may_judge": request.user.has_perm(JUDGE) and found.state in (ShadowState.COMPARED, ShadowState.FAILED),
        "may_say": words.MAY_SAY.items(),
        "judged": words.VERDICTS.get(found.judged_as, ""),
        "judged_by": names_of([found.judged_by])[found.judged_by] if found.judged_by else "",
        "judged_at": cells.moment(found.judged_at),
        "compared_at": cells.moment(found.compared_at),
        "last": _last(request, chosen),
    }
    return desk.show(request, "admin/cutover/shadow.html", found.legacy_key, **context)


@desk.page(VIEW)
@require_POST
def judge(request: HttpRequest, shadow_id: UUID) -> HttpResponse:
    """Write what a person says, and lead to the next one of the list; or take it back, and stay."""
    desk.require(request, JUDGE)
    found, chosen = _shadow(shadow_id), Filter.read(request.POST)
    behind = shadows.following(chosen, found)
    verdict = request.POST.get("verdict", "")
    try:
        if verdict == "withdraw":
            judging.withdraw(found.pk, actor=caller_of(request.user))
            return HttpResponseRedirect(_address("desk:shadow", chosen, found))
        if verdict not in words.MAY_SAY:
            raise Http404
        note = request.POST.get("note", "").replace("\0", "")[:2000]
        judging.judge(found.pk, Verdict(verdict), note=note, actor=caller_of(request.user))
    except MediaError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(_address("desk:shadow", chosen, found))
    if behind is None:
        messages.success(request, "Judged. That was the last one of this list.")
        return HttpResponseRedirect(_address("desk:shadows", chosen))
    return HttpResponseRedirect(_address("desk:shadow", chosen, behind, last=found.pk))


@desk.page(VIEW)
@require_safe
@never_cache
def site_file(request: HttpRequest, shadow_id: UUID, size: str) -> HttpResponseBase:
    """A size as the site has it, if it is a picture that a browser shows. It is not believed to be one."""
    found = _shadow(shadow_id)
    if size not in legacy.SIZES:
        raise Http404
    try:
        reader = legacy.open_size(found.legacy_key, size)
    except MediaError as error:
        return HttpResponse(str(error), status=502, content_type="text/plain")
    try:
        head = reader.read(HEAD_BYTES)
        content_type = _SHOWABLE[sniff(head).format]
    except (MediaError, KeyError):
        reader.close()
        return HttpResponse("This is no picture that a browser shows.", status=415, content_type="text/plain")
    answer = StreamingHttpResponse(_Body(head, reader), content_type=content_type)
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


class _Body:
    """A file in pieces, closed when the answer is over, however it ends."""

    def __init__(self, head: bytes, reader: ObjectReader) -> None:
        self._head, self._reader = head, reader

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        while chunk := self._reader.read(_CHUNK_BYTES):
            yield chunk
        self.close()

    def close(self) -> None:
        self._reader.close()


def _shadow(shadow_id: UUID | str) -> Shadow:
    try:
        found = shadows.find(UUID(str(shadow_id)))
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _size(sizes: list[dict[str, Any]], asked: str) -> dict[str, Any] | None:
    """The size that is looked at: the one that was asked for, or the first of those that are worst."""
    order = [Verdict.WORSE, Verdict.DIFFERENT, Verdict.MISSING, Verdict.BETTER, Verdict.SAME, ""]
    by_name = {one["name"]: one for one in sizes}
    return by_name.get(asked) or min(sizes, key=lambda one: order.index(one["verdict"]), default=None)


def _theirs(found: Shadow, size: dict[str, Any] | None) -> str | None:
    there = size and size["sides"][0]["look"]
    return reverse("desk:shadow_file", args=[found.pk, size["name"]]) if size and there else None


def _ours(found: Shadow, size: dict[str, Any] | None) -> str | None:
    if size is None or found.job is None or found.original is None or found.original.deleted_at:
        return None
    made = Derivative.objects.filter(
        original=found.original,
        rendition=size["name"],
        preset_name=found.job.preset.name,
        state=DerivativeState.CURRENT,
    )
    one = made.first()
    return derivative_url(one) if one else None


def _last(request: HttpRequest, chosen: Filter) -> dict[str, Any] | None:
    """What was judged a moment ago, and its address."""
    if not request.GET.get("last"):
        return None
    found = _shadow(request.GET["last"])
    says = words.VERDICTS.get(found.judged_as, "")
    return {"name": found.legacy_key, "says": says, "link": _address("desk:shadow", chosen, found)} if says else None


def _row(found: Shadow, chosen: Filter, names: dict[str, str]) -> dict[str, Any]:
    return {
        "shadow": found,
        "link": _address("desk:shadow", chosen, found),
        "says": words.VERDICTS.get(found.ruling, ""),
        "reason": words.reason(found.verdict, found.reason),
        "by": names.get(found.judged_by, ""),
        "when": cells.ago(found.compared_at or found.created_at),
    }


def _choice(chosen: Filter, title: str, active: bool, number: int | None = None) -> dict[str, Any]:
    return {"title": title, "link": _address("desk:shadows", chosen), "active": active, "number": number}


def _tabs(active: str) -> list[dict[str, Any]]:
    pages = (("scoreboard", "Scoreboard", "desk:cutover"), ("queue", "Pictures", "desk:shadows"))
    return [{"title": title, "link": reverse(view), "active": name == active} for name, title, view in pages]


def _query(chosen: Filter) -> dict[str, str]:
    return {name: value for name, value in (("show", chosen.show), ("reason", chosen.reason)) if value}


def _address(view: str, chosen: Filter, found: Shadow | None = None, **more: object) -> str:
    base = reverse(view, args=[found.pk] if found else [])
    return f"{base}?{urlencode({**_query(chosen), **more})}"
