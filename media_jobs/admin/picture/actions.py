"""What the buttons of a picture's page do: each has its permission, and calls one service."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from media_jobs import selectors
from media_jobs.admin import desk
from media_jobs.admin.base import caller_of
from media_jobs.admin.picture import page
from media_jobs.admin.picture.forms import FocusForm, RightsForm
from media_jobs.callers import READ_ORIGINALS, Caller
from media_jobs.errors import BadRequest, MediaError, MissingFile
from media_jobs.models import Original
from media_jobs.pipeline.values import Focus
from media_jobs.services import changes, originals
from media_jobs.services.images import deletion, editing, redoing, turning
from media_jobs.services.jobs import lifecycle
from media_jobs.services.uploads import by_hand

VIEW = "media_jobs.view_original"
CHANGE, DELETE, ADD = "media_jobs.change_original", "media_jobs.delete_original", "media_jobs.add_original"
REDO, RETRY = "media_jobs.redo_original", "media_jobs.retry_job"


@desk.page(VIEW)
@require_POST
def act(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Do what a button says, and lead back to the picture."""
    picture = _picture(image_id)
    found = _ACTIONS.get(request.POST.get("do", ""))
    if found is None:
        raise Http404
    needed, do = found
    for permission in needed:
        desk.require(request, permission)
    try:
        leads_to = picture
        said = do(request, picture, caller_of(request.user))
        if isinstance(said, tuple):
            said, leads_to = said
        messages.success(request, said)
    except MediaError as error:
        messages.error(request, str(error))
    except Original.DoesNotExist:
        messages.error(request, "The file of this picture is gone for good.")
    return HttpResponseRedirect(page.link(leads_to))


@desk.page(CHANGE)
@require_POST
def rights(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Save the form of rights; with what is wrong in it, it comes back as it was filled in."""
    picture = _picture(image_id)
    form = RightsForm(picture, request.POST)
    if form.is_valid():
        actor = caller_of(request.user)
        try:
            changed = editing.change(picture.pk, actor=actor, **form.changes())
            messages.success(request, "Saved." if changed else "Nothing was changed.")
            if changed and "redo" in request.POST and request.user.has_perm(REDO):
                _write(request, picture, actor)
            return HttpResponseRedirect(page.link(picture))
        except MediaError as error:
            first = picture.deleted_at is None and form.cleaned_data["seen"] != editing.version_of(picture)
            form.add_error(None, form.theirs() if first else str(error))  # nothing is lost of what was written
            form.see(picture)
    return desk.show(request, "admin/picture/page.html", str(picture), **page.context(request, picture, form=form))


@desk.page(VIEW)
@require_POST
@never_cache
def reveal(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Show position and serial numbers, and write down who looked at them."""
    desk.require(request, READ_ORIGINALS)
    picture = _picture(image_id)
    changes.record(picture, "looked at position and serial numbers of", actor=caller_of(request.user))
    context = {**page.context(request, picture), "private": page.flat(picture.private_metadata)}
    return desk.show(request, "admin/picture/page.html", str(picture), **context)


@desk.page(VIEW)
@require_safe
@never_cache
def download(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """Lead to the original file by a link of five minutes, and write down who took it."""
    desk.require(request, READ_ORIGINALS)
    picture = _picture(image_id)
    try:
        link = originals.link(picture)
    except MediaError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(page.link(picture))
    changes.record(picture, "downloaded the original of", actor=caller_of(request.user))
    return HttpResponseRedirect(link)


@desk.page(VIEW)
@require_safe
@never_cache
def live(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """The part of the page that changes while jobs are in work; it says when they are over."""
    shown = page.open_jobs(_picture(image_id))
    return desk.live(request, desk.fragment(request, "admin/picture/open.html", open=shown), over=not shown)


def _write(request: HttpRequest, picture: Original, actor: Caller) -> None:
    """Make the web versions anew with what is saved already, whatever comes of this."""
    try:
        redoing.redo(picture.pk, actor=actor)
        messages.success(request, "The web versions are being made anew with it.")
    except MediaError as error:
        messages.warning(request, f"The web versions are not made anew: {error}")


def _picture(image_id: UUID) -> Original:
    found: QuerySet[Original] = Original.objects.all()
    return get_object_or_404(found, pk=image_id)


def _retry(request: HttpRequest, picture: Original, actor: Caller) -> str:
    job = selectors.telling_jobs().filter(original=picture).order_by("-id").first()
    if job is None:
        raise BadRequest("There is no job to retry.")
    lifecycle.retry(job.pk, actor=actor)
    return "It is queued again."


def _redo(request: HttpRequest, picture: Original, actor: Caller) -> str:
    jobs = redoing.redo(picture.pk, actor=actor, preset=request.POST.get("preset", "").replace("\0", ""))
    return _queued(len(jobs))


def _rotate(request: HttpRequest, picture: Original, actor: Caller) -> str:
    by = request.POST.get("by", "")
    jobs = turning.rotate(picture.pk, int(by) if by.isdecimal() and len(by) < 4 else 0, actor=actor)
    return f"Turned. {_queued(len(jobs))}"


def _focus(request: HttpRequest, picture: Original, actor: Caller) -> str:
    if "remove" in request.POST:
        jobs = turning.set_focus(picture.pk, None, actor=actor)
        return f"The focal point is removed. {_queued(len(jobs))}"
    form = FocusForm(request.POST)
    if not form.is_valid():
        raise BadRequest("The focal point is two numbers from 0 to 100, in per cent.")
    focus = Focus(round(form.cleaned_data["x"] / 100, 4), round(form.cleaned_data["y"] / 100, 4))
    jobs = turning.set_focus(picture.pk, focus, actor=actor)
    return f"The focal point is set. {_queued(len(jobs))}"


def _replace(request: HttpRequest, picture: Original, actor: Caller) -> tuple[str, Original]:
    sent = request.FILES.get("file")
    if sent is None:
        raise MissingFile("Choose a file first.")
    accepted = by_hand.replace(picture.pk, sent.chunks(), sent.name or "", actor=actor)
    said = "This file has taken its place. The former one is among the recently deleted."
    return said, _picture(accepted.job.original_id)


def _delete(request: HttpRequest, picture: Original, actor: Caller) -> str:
    until = deletion.delete(picture.pk, actor=actor).restorable_until
    return f"It is deleted. It can be restored until {until.day} {until:%B %Y}."


def _restore(request: HttpRequest, picture: Original, actor: Caller) -> str:
    deletion.restore(picture.pk, actor=actor)
    return "It is back. Its web versions are being made anew."


def _queued(count: int) -> str:
    return "Its web versions are being made anew." if count else "Nothing had to be made anew."


_Do = Callable[[HttpRequest, Original, Caller], str | tuple[str, Original]]
_ACTIONS: dict[str, tuple[tuple[str, ...], _Do]] = {
    "retry": ((RETRY,), _retry),
    "redo": ((REDO,), _redo),
    "rotate": ((CHANGE,), _rotate),
    "focus": ((CHANGE,), _focus),
    "replace": ((ADD, DELETE), _replace),
    "delete": ((DELETE,), _delete),
    "restore": ((DELETE,), _restore),
}
