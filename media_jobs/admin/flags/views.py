"""The list of flags, and a flag's page. Nothing that was typed is lost: a button saves it, or the page says why not."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from media_jobs.admin import cells, desk, recorded
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.base import caller_of
from media_jobs.admin.flags.forms import FlagForm, NewFlagForm, initial_of
from media_jobs.callers import GUARD, SYSTEM
from media_jobs.errors import MediaError, RampRefused
from media_jobs.models import FeatureFlag, FlagChange
from media_jobs.services.flags import changing, evaluation, guard, shares

VIEW, CHANGE, ADD = "media_jobs.view_featureflag", "media_jobs.change_featureflag", "media_jobs.add_featureflag"
STEPS = (1, 5, 25, 50, 100)
_OFF = "off"
_HISTORY = 50


@desk.page(VIEW)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All flags."""
    context = {
        "flags": [{"flag": flag, **_state(flag)} for flag in FeatureFlag.objects.all()],
        "may_add": request.user.has_perm(ADD),
    }
    return desk.show(request, "admin/flags/overview.html", "Flags", **context)


@desk.page(ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A flag of a new name."""
    form = NewFlagForm(request.POST or None, initial={"guarded": True})
    if request.method == "POST" and form.is_valid():
        try:
            flag = changing.create(**form.cleaned_data, actor=caller_of(request.user))
            messages.success(request, f"{flag} is there, and off.")
            return HttpResponseRedirect(reverse("desk:flag", args=[flag.name]))
        except MediaError as error:
            form.add_error("name", str(error))
    return desk.show(request, "admin/flags/new.html", "New flag", form=form)


@desk.page(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One flag: how far it is, what the guard says, and its history. A POST changes it."""
    try:
        flag = evaluation.find(name)
    except MediaError:
        raise Http404 from None
    if request.method == "POST":
        desk.require(request, CHANGE)
        return _sent(request, flag)
    return _page(request, flag, FlagForm(initial=initial_of(flag)))


def _sent(request: HttpRequest, flag: FeatureFlag) -> HttpResponse:
    form = FlagForm(_with_step(request))
    if not form.is_valid():
        return _page(request, flag, form)
    said = form.cleaned_data
    try:
        changed = changing.change(
            flag.name,
            form.wanted(),
            actor=caller_of(request.user),
            version=said["version"],
            reason=said["reason"],
            force=said["force"],
        )
    except MediaError as error:  # the guard refuses it, or somebody was first; saving again puts this over it
        messages.error(request, str(error))
        return _page(request, evaluation.find(flag.name), form, refused=isinstance(error, RampRefused))
    same = changed.version == said["version"]
    messages.success(request, "All is as it was." if same else f"{changed}: {_state(changed)['words']}.")
    return HttpResponseRedirect(reverse("desk:flag", args=[flag.name]))


def _with_step(request: HttpRequest) -> Any:
    """What was sent; a button with a percentage switches the flag on, too."""
    sent, step = request.POST.copy(), request.POST.get("step", "")
    if step == _OFF:
        sent.pop("enabled", None)
    elif step:
        sent["enabled"], sent["percent"] = "on", step
    return sent


def _page(request: HttpRequest, flag: FeatureFlag, form: FlagForm, *, refused: bool = False) -> HttpResponse:
    history = list(flag.changes.all()[:_HISTORY])
    context = {
        "flag": flag,
        **_state(flag),
        "form": form,
        "opinion": guard.opinion() if flag.guarded else None,
        "refused": refused,
        "steps": STEPS,
        "history": _history(history),
        "fell_back": _fell_back(flag),
        "forced": cells.moment(flag.forced_at) if flag.forced_at else "",
        "may_change": request.user.has_perm(CHANGE),
    }
    return desk.show(request, "admin/flags/flag.html", flag.name, **context)


def fallen() -> list[dict[str, Any]]:
    """Return the flags that fell back and that nobody has raised since, with why: what Home says of them."""
    return [{"flag": flag, **_fell_back(flag)} for flag in FeatureFlag.objects.filter(fell_back_at__isnull=False)]


def _fell_back(flag: FeatureFlag) -> dict[str, Any]:
    """Say when and why a flag fell back; empty for one that did not."""
    if flag.fell_back_at is None:
        return {}
    last = flag.changes.filter(actor=GUARD.id).first()
    return {"at": cells.moment(flag.fell_back_at), "why": last.reason if last else ""}


def _state(flag: FeatureFlag) -> dict[str, Any]:
    """Say in words how far a flag is, and by a colour."""
    percent = shares.percent(flag.basis_points)
    if not flag.enabled:
        return {"words": "off", "badge": "none", "percent": percent}
    words = "on for everybody" if percent == 100 else f"on for {percent} %"
    return {"words": words, "badge": "good" if percent else "none", "percent": percent}


def _history(rows: list[FlagChange]) -> list[dict[str, Any]]:
    names = names_of({row.actor for row in rows}) | {SYSTEM.id: "the command manage.py flag"}
    return [
        {
            "change": row,
            "who": names[row.actor],
            "what": _what(row),
            "values": [one for one in recorded.values_of(row) if one[0] not in ("percent", "enabled")],
            "badly": row.actor == GUARD.id,
        }
        for row in rows
    ]


def _what(row: FlagChange) -> str:
    """Say in words what became of the percentage."""
    said = [f"{row.before['percent']} % → {row.after['percent']} %"] if "percent" in row.after else []
    said += [f"switched {'on' if row.after['enabled'] else 'off'}"] if "enabled" in row.after else []
    return ", ".join(said)
