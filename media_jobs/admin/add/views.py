"""The page that takes files. With a script it sends one after the other, and says of each how far it is."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from media_jobs.admin import desk
from media_jobs.admin.base import caller_of
from media_jobs.admin.fields import INPUT, LicenceField, TagsField, preset_choices
from media_jobs.admin.picture.forms import RIGHTS, stated
from media_jobs.errors import MediaError
from media_jobs.library.source_types import BASE, LABELS
from media_jobs.services import originals
from media_jobs.services.uploads import by_hand, direct_uploads
from media_jobs.services.uploads.intake import UploadOptions

ADD = "media_jobs.add_original"
#: Files from this size on go straight to the storage; smaller ones are judged by the service while they come.
_DIRECT_BYTES = 8 * 1_048_576


def _line() -> forms.CharField:
    return forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=INPUT))


class AddForm(forms.Form):
    """What holds for all files."""

    preset = forms.ChoiceField(
        choices=preset_choices, widget=forms.Select(attrs=INPUT), help_text="Which sizes are made."
    )
    creator, credit, copyright = _line(), _line(), _line()
    licence = LicenceField("The address of the licence.")
    digital_source_type = forms.ChoiceField(
        label="How they were made",
        required=False,
        choices=[("", "the files say it"), *((BASE + code, title) for code, title in LABELS.items())],
        widget=forms.Select(attrs=INPUT),
    )
    tags = TagsField(required=False)

    def options(self) -> UploadOptions:
        """Return what is said of every file: an empty field lets the file decide."""
        said = self.cleaned_data
        rights = {name: stated(name, said[name]) for name in RIGHTS}
        return UploadOptions(rights={name: text for name, text in rights.items() if text}, tags=tuple(said["tags"]))


@desk.page(ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Show the form; or take the files, and say of each what became of it."""
    form = AddForm(request.POST or None)
    results: list[dict[str, str]] = []
    if request.method == "POST" and form.is_valid():
        results = [_take(request, file, form) for file in request.FILES.getlist("file")]
        results += [_take_stored(request, upload, form) for upload in request.POST.getlist("upload")]
        results = results or [{"name": "", "why": "Choose at least one file."}]
    if "application/json" in request.headers.get("Accept", ""):
        why = "; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())
        return JsonResponse(results[0] if results else {"name": "", "why": why})
    limits = originals.size_limits()
    context = {
        "form": form,
        "results": results,
        "picture_mb": limits.picture_bytes // 1_048_576,
        "raw_mb": limits.raw_bytes // 1_048_576,
        "largest_bytes": limits.largest_bytes,
        "direct_bytes": _DIRECT_BYTES,
    }
    return desk.show(request, "admin/add/add.html", "Add pictures", **context)


@desk.page(ADD)
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Answer the script with a form by which the browser stores one large file itself; or with why not."""
    size = request.POST.get("size", "")
    try:
        opened = direct_uploads.begin(
            caller=caller_of(request.user),
            filename=request.POST.get("name", ""),
            content_type=request.POST.get("type", ""),
            size_bytes=int(size) if size.isdecimal() and 0 < len(size) < 16 else None,
            sha256="",
        )
    except MediaError as error:
        return JsonResponse({"why": str(error)})
    form = opened.form
    return JsonResponse({"upload": str(opened.upload.pk), "url": form.url, "fields": form.fields})


def _take_stored(request: HttpRequest, upload: str, form: AddForm) -> dict[str, str]:
    try:
        accepted = by_hand.add_stored(
            UUID(upload),
            preset=form.cleaned_data["preset"],
            actor=caller_of(request.user),
            options=form.options(),
        )
    except ValueError:
        raise Http404 from None
    except MediaError as error:
        return {"name": "", "why": str(error)}
    picture = accepted.job.original
    link = reverse("admin:media_jobs_original_change", args=[picture.pk])
    return {"name": picture.filename, "link": link, "note": ""}


def _take(request: HttpRequest, file: Any, form: AddForm) -> dict[str, str]:
    """Return the name of a file, and where it is now, or why it was refused."""
    try:
        accepted = by_hand.add(
            file.chunks(),
            file.name,
            preset=form.cleaned_data["preset"],
            actor=caller_of(request.user),
            options=form.options(),
        )
    except MediaError as error:
        return {"name": file.name, "why": str(error)}
    link = reverse("admin:media_jobs_original_change", args=[accepted.job.original_id])
    twin = "You have sent the same file before." if accepted.duplicate_of else ""
    return {"name": file.name, "link": link, "note": twin}
