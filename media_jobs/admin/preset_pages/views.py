"""Presets by name. Nothing that was typed is lost: each button saves it, or answers with the same page filled in."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from media_jobs import selectors, staleness
from media_jobs.admin import cells, desk, recorded
from media_jobs.admin.base import caller_of
from media_jobs.admin.library.tiles import tiles_of
from media_jobs.admin.preset_pages.forms import PresetForm, SizeFormSet, Sizes, sizes_of
from media_jobs.errors import MediaError
from media_jobs.library import rows
from media_jobs.library.filters import Filter, Shown
from media_jobs.models import Change, Derivative, Preset, PresetPreview
from media_jobs.services import presets, previews
from media_jobs.services.runs import lifecycle as runs
from media_jobs.services.runs.selection import Selection
from media_jobs.states import DerivativeState, PreviewState, Staleness

VIEW, CHANGE, ADD = "media_jobs.view_preset", "media_jobs.change_preset", "media_jobs.add_preset"
RUN = "media_jobs.manage_reprocessrun"
_PREVIEW_CHOICES = 8
#: Longer numbers are no version.
_DIGITS = 10


@desk.page(VIEW)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All presets by name."""
    current = Preset.objects.filter(current=True).prefetch_related("renditions").order_by("name")
    context = {
        "presets": [{"preset": one, "sizes": _in_words(one)} for one in current],
        "may_add": request.user.has_perm(ADD),
    }
    return desk.show(request, "admin/presets/overview.html", "Presets", **context)


@desk.page(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def editor(request: HttpRequest, name: str) -> HttpResponse:
    """One preset: its sizes to be edited, its history. A POST saves a new version, or makes a preview."""
    current = Preset.objects.filter(name=name, current=True).prefetch_related("renditions").first()
    if current is None:
        raise Http404
    if request.method == "POST":
        return _sent(request, current)
    form = PresetForm(initial={"name": name, "failed_days": current.failed_days, "base": current.version})
    return _editor(request, current, form, SizeFormSet(initial=sizes_of(current), prefix="size"))


@desk.page(ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A preset of a new name."""
    if request.method == "POST":
        return _sent(request, None)
    return _editor(request, None, PresetForm(initial={"base": 0}), SizeFormSet(prefix="size"))


@desk.page(VIEW)
@require_POST
def roll_back(request: HttpRequest, name: str) -> HttpResponse:
    desk.require(request, CHANGE)
    version, base = request.POST.get("version", ""), request.POST.get("base", "")
    if not (version.isdecimal() and base.isdecimal() and max(len(version), len(base)) < _DIGITS):
        raise Http404
    try:
        former = presets.roll_back(name, int(version), base=int(base), actor=caller_of(request.user))
        messages.success(request, f"New uploads get {former} again. {_stale_words(name)}")
    except MediaError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("desk:preset", args=[name]))


@desk.page(VIEW)
@require_POST
def start_run(request: HttpRequest, name: str) -> HttpResponse:
    """Begin a run over all that is stale of this preset, and lead to its page: it is paused and taken back there."""
    desk.require(request, RUN)
    actor = caller_of(request.user)
    try:
        run = runs.create(
            owner=actor,
            preset=name,
            selection=Selection(stale=tuple(Staleness)),
            note=f"What is stale of {name}",
        )
        runs.confirm(run.pk, actor=actor)
    except MediaError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("desk:presets"))
    return HttpResponseRedirect(reverse("admin:media_jobs_reprocessrun_change", args=[run.pk]))


@desk.page(VIEW)
@require_GET
@never_cache
def stale(request: HttpRequest, name: str) -> HttpResponse:
    """How many web versions of a preset are stale: asked for by a script, as it takes long among very many."""
    context = {"name": name, "stale": _stale_count(name), "may_run": request.user.has_perm(RUN)}
    return desk.live(request, desk.fragment(request, "admin/presets/stale.html", **context), over=True)


@desk.page(VIEW)
@require_GET
@never_cache
def preview_live(request: HttpRequest, preview_id: UUID) -> HttpResponse:
    preview = get_object_or_404(PresetPreview, pk=preview_id)
    over = preview.state in (PreviewState.DONE, PreviewState.FAILED)
    return desk.live(
        request, desk.fragment(request, "admin/presets/preview.html", preview=_preview(preview)), over=over
    )


def _sent(request: HttpRequest, current: Preset | None) -> HttpResponse:
    form, sizes = PresetForm(request.POST), SizeFormSet(request.POST, prefix="size")
    if not (form.is_valid() and sizes.is_valid()):
        return _editor(request, current, form, sizes)
    if request.POST.get("do") == "preview":
        return _with_preview(request, current, form, sizes)
    desk.require(request, CHANGE if current else ADD)
    said = form.cleaned_data
    name = current.name if current else said["name"]
    try:
        made = presets.save(
            name, sizes.values(), base=said["base"], actor=caller_of(request.user), failed_days=said["failed_days"]
        )
    except MediaError as error:  # perhaps somebody was first; saving again puts this over it
        messages.error(request, str(error))
        return _editor(request, current, form, sizes, base=current.version if current else 0)
    messages.success(request, f"New uploads get {made}. {_stale_words(name)}")
    return HttpResponseRedirect(reverse("desk:preset", args=[name]))


def _with_preview(request: HttpRequest, current: Preset | None, form: PresetForm, sizes: Sizes) -> HttpResponse:
    desk.require(request, CHANGE if current else ADD)
    try:
        preview = previews.ask(_uuid(request.POST.get("picture", "")), sizes.values(), actor=caller_of(request.user))
    except MediaError as error:
        messages.warning(request, str(error))
        return _editor(request, current, form, sizes)
    return _editor(request, current, form, sizes, preview=preview)


def _editor(
    request: HttpRequest,
    current: Preset | None,
    form: PresetForm,
    sizes: Sizes,
    *,
    preview: PresetPreview | None = None,
    base: int | None = None,
) -> HttpResponse:
    done = rows.page(Filter(state=Shown.DONE), cursor="", size=_PREVIEW_CHOICES).pictures
    chosen = request.POST.get("picture", "")
    context = {
        "current": current,
        "form": form,
        "base": form["base"].value() if base is None else base,
        "sizes": sizes,
        "history": _history(current.name) if current else [],
        "may_change": request.user.has_perm(CHANGE if current else ADD),
        "pictures": tiles_of(done),
        "chosen": chosen or (str(done[0].pk) if done else ""),
        "preview": _preview(preview) if preview else None,
        "may_run": request.user.has_perm(RUN),
    }
    return desk.show(request, "admin/presets/editor.html", str(current.name if current else "New preset"), **context)


def _history(name: str) -> list[dict[str, Any]]:
    """All versions of a name, the newest first: what each changed, who made it, and when."""
    versions = list(Preset.objects.filter(name=name).prefetch_related("renditions").order_by("-version"))
    said = Change.objects.filter(kind="preset", object_id__in=[str(one.pk) for one in versions]).order_by("-id")
    lines: dict[str, list[Any]] = {}
    for line in recorded.lines_of(said):
        lines.setdefault(line["change"].object_id, []).append(line)
    return [
        {
            "preset": one,
            "differences": presets.differences(list(before.renditions.all()), list(one.renditions.all()))
            if before
            else [],
            "first": before is None,
            "made": cells.moment(one.created_at),
            "lines": lines.get(str(one.pk), []),
        }
        for one, before in zip(versions, [*versions[1:], None], strict=True)
    ]


def _preview(preview: PresetPreview) -> dict[str, Any]:
    """Each size as it would be, beside the web version that is there now."""
    current = {
        made.rendition: made
        for made in Derivative.objects.filter(original=preview.original_id, state=DerivativeState.CURRENT)
    }
    return {
        "preview": preview,
        "waits": preview.state in (PreviewState.QUEUED, PreviewState.WORKING),
        "rows": [
            {
                **one,
                "url": selectors.public_url(one["key"]),
                "pixels": cells.dimensions(one["width_px"], one["height_px"]),
                "size": cells.size(one["size_bytes"]),
                "now": _now(current.get(one["name"]), one["size_bytes"]),
            }
            for one in preview.made
        ],
    }


def _now(made: Derivative | None, size_bytes: int) -> dict[str, Any] | None:
    if made is None:
        return None
    change = round((size_bytes / made.size_bytes - 1) * 100)
    return {
        "url": selectors.derivative_url(made),
        "pixels": cells.dimensions(made.width_px, made.height_px),
        "size": cells.size(made.size_bytes),
        "change": f"{change:+d} %",
    }


def _stale_count(name: str) -> int:
    """How many web versions the current version of this preset would make otherwise."""
    preset = Preset.objects.filter(name=name, current=True).prefetch_related("renditions").first()
    if preset is None:
        raise Http404
    why = staleness.reasons([preset], staleness.current_engine())
    named = [size.name for size in preset.renditions.all()]
    current = Derivative.objects.filter(state=DerivativeState.CURRENT, preset_name=name, rendition__in=named)
    stale = current.none()
    for condition in why.values():
        stale = stale | current.filter(condition)
    return stale.count()


def _stale_words(name: str) -> str:
    count = _stale_count(name)
    if not count:
        return "No web version is stale."
    return f"{count:,} web version{' is' if count == 1 else 's are'} stale now: a run makes them anew."


def _in_words(preset: Preset) -> str:
    return ", ".join(f"{size.name} {size.side_px} {size.format}" for size in preset.renditions.all())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
