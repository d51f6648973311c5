"""From the choice in the library to the last picture of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from media_jobs.admin import desk
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.base import caller_of
from media_jobs.admin.bulk.forms import FORMS, NothingForm
from media_jobs.admin.bulk.kinds import KINDS
from media_jobs.admin.library.tiles import tiles_of
from media_jobs.errors import MediaError
from media_jobs.library import rows
from media_jobs.library.filters import Filter
from media_jobs.models import BulkAction, Original
from media_jobs.services.bulk import lifecycle
from media_jobs.states import BulkItemState, BulkKind, BulkState

VIEW = "media_jobs.view_original"
_PREVIEWED = 12
_SHOWN_FAILURES = 50


@desk.page(VIEW)
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Freeze what was chosen in the library, and lead to its preview."""
    kind = _kind(request.POST.get("kind", ""))
    desk.require(request, KINDS[kind].permission)
    query = request.POST.get("query", "")
    wanted = Filter.from_query(QueryDict(query))
    chosen = {"wanted": wanted} if request.POST.get("scope") == "all" else {"ids": _ticked(request)}
    try:
        action = lifecycle.draft(kind, owner=caller_of(request.user), **chosen)
    except MediaError as error:
        messages.warning(request, str(error))
        return HttpResponseRedirect(f"{reverse('desk:library')}?{query}")
    return HttpResponseRedirect(reverse("desk:bulk", args=[action.pk]))


@desk.page(VIEW)
@require_safe
@never_cache
def show(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """The preview of a draft; else how far it is."""
    action = _action(action_id)
    if action.state == BulkState.DRAFT:
        return _preview(request, action, _form(action)())
    return desk.show(request, "admin/bulk/progress.html", _title(action), **_progress(request, action))


@desk.page(VIEW)
@require_POST
def confirm(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """Begin, or forget it, as the button says."""
    action = _action(action_id)
    kind = BulkKind(action.kind)
    desk.require(request, KINDS[kind].permission)
    if "keep" in request.POST:
        lifecycle.drop(action.pk)
        messages.success(request, "Nothing was changed.")
        return HttpResponseRedirect(reverse("desk:library"))
    form = _form(action)(request.POST)
    if not form.is_valid():
        return _preview(request, action, form)
    actor = caller_of(request.user)
    try:
        if kind is BulkKind.REDO:
            run = lifecycle.confirm_redo(action.pk, actor=actor, preset=form.params()["preset"])
            return HttpResponseRedirect(reverse("admin:media_jobs_reprocessrun_change", args=[run.pk]))
        lifecycle.confirm(action.pk, actor=actor, params=form.params())
    except MediaError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("desk:bulk", args=[action.pk]))


@desk.page(VIEW)
@require_POST
def stop(request: HttpRequest, action_id: UUID) -> HttpResponse:
    action = _action(action_id)
    desk.require(request, KINDS[BulkKind(action.kind)].permission)
    try:
        lifecycle.stop(action.pk, actor=caller_of(request.user))
        messages.success(request, "It is stopped. What is done stays done.")
    except MediaError as error:
        messages.warning(request, str(error))
    return HttpResponseRedirect(reverse("desk:bulk", args=[action.pk]))


@desk.page(VIEW)
@require_safe
@never_cache
def live(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """The part of its page that changes."""
    action = _action(action_id)
    part = desk.fragment(request, "admin/bulk/bar.html", **_progress(request, action))
    return desk.live(request, part, over=action.state != BulkState.RUNNING)


def _preview(request: HttpRequest, action: BulkAction, form: NothingForm) -> HttpResponse:
    first = Original.objects.filter(bulk_items__action=action).order_by("bulk_items__id")
    context = {
        "action": action,
        "kind": KINDS[BulkKind(action.kind)],
        "copies": action.kind == BulkKind.RIGHTS,
        "tiles": tiles_of(list(rows.loaded(first)[:_PREVIEWED])),
        "rest": max(action.total - _PREVIEWED, 0),
        "form": form,
        "button": f"{KINDS[BulkKind(action.kind)].verb} {_pictures(action)}",
        "may": request.user.has_perm(KINDS[BulkKind(action.kind)].permission),
    }
    return desk.show(request, "admin/bulk/preview.html", _title(action), **context)


def _progress(request: HttpRequest, action: BulkAction) -> dict[str, Any]:
    failed = action.items.filter(state=BulkItemState.FAILED).select_related("original").order_by("id")
    return {
        "action": action,
        "title_of_action": _title(action),
        "running": action.state == BulkState.RUNNING,
        "failures": list(failed[:_SHOWN_FAILURES]) if action.failed else [],
        "who": names_of([action.owner])[action.owner],
        "may": request.user.has_perm(KINDS[BulkKind(action.kind)].permission),
        "rights": action.kind == BulkKind.RIGHTS,
    }


def _title(action: BulkAction) -> str:
    return f"{KINDS[BulkKind(action.kind)].verb} {_pictures(action)}"


def _pictures(action: BulkAction) -> str:
    return f"{action.total:,} picture{'' if action.total == 1 else 's'}"


def _form(action: BulkAction) -> type[NothingForm]:
    return FORMS.get(BulkKind(action.kind), NothingForm)


def _action(action_id: UUID) -> BulkAction:
    return get_object_or_404(BulkAction, pk=action_id)


def _kind(text: str) -> BulkKind:
    try:
        return BulkKind(text)
    except ValueError:
        raise Http404 from None


def _ticked(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(text) for text in request.POST.getlist("picture")]
    except ValueError:
        raise Http404 from None
