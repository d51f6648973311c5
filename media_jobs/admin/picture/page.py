"""What a picture's page shows."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from media_jobs import selectors, staleness
from media_jobs.admin import cells, recorded
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.jobs import status_text, timeline
from media_jobs.admin.picture import privacy_words
from media_jobs.admin.picture.forms import RightsForm
from media_jobs.callers import READ_ORIGINALS
from media_jobs.library import remedies
from media_jobs.library.source_types import is_by_ai, label
from media_jobs.models import Change, Derivative, Job, Original, Preset
from media_jobs.pipeline.values import FACTS, KEEP_LABELS
from media_jobs.services import changes
from media_jobs.services.images import deletion
from media_jobs.services.jobs import lifecycle
from media_jobs.states import DerivativeState, JobState, OriginalState

#: Why there is no file to download.
NO_FILE: dict[str, str] = {
    OriginalState.STAGED: (
        "There is no original yet: the file was uploaded straight to the storage, and a worker has still to check it."
    ),
    OriginalState.DELETED: "The original has been removed.",
}
_LABELS = {"captureDate": "Taken on", "cameraMake": "Camera maker", "cameraModel": "Camera"}
_SHOWN_JOBS = 20
#: Of a picture whose file is gone for good.
_NOTHING = dict.fromkeys(("may_retry", "may_redo", "may_change", "may_delete", "may_replace"), False)


def context(request: HttpRequest, picture: Original, *, form: RightsForm | None = None) -> dict[str, Any]:
    """Return all that the page's templates need."""
    jobs = list(picture.jobs.select_related("preset").order_by("-id")[:_SHOWN_JOBS])
    versions = _versions(picture)
    receipt = selectors.receipt(picture)
    telling = next((job for job in jobs if job.run_id is None or job.state == JobState.DONE), None)
    return {
        "picture": picture,
        "versions": versions,
        "shown": _shown(request, versions),
        "compare": _compared(request, picture, versions),
        "latest": telling,
        "remedy": remedies.of(telling.code) if telling and telling.state == JobState.FAILED else None,
        "open": open_jobs(picture),
        "placeholder": cells.placeholder(picture),
        "privacy_options": ", ".join(
            f"{'keep' if keep else 'drop'} {KEEP_LABELS[name]}" for name, keep in picture.preserve.items()
        ),
        "deleted": deletion.describe(picture) if picture.deleted_at else None,
        "restorable": bool(picture.deleted_at) and selectors.restorable().filter(pk=picture.pk).exists(),
        "no_file": NO_FILE.get(picture.state),
        "by_ai": is_by_ai(picture.digital_source_type),
        "source_type": label(picture.digital_source_type),
        "facts": facts(picture),
        "form": form or RightsForm(picture),
        "overrides": picture.overrides(),
        "receipt": receipt,
        "receipt_words": privacy_words.sentences(receipt) if receipt else [],
        "jobs": [_job(job) for job in jobs],
        "lines": recorded.lines_of(_history(picture)),
        "presets": selectors.preset_names(),
        "owner_name": names_of([picture.owner])[picture.owner],
        "uploaded": cells.moment(picture.created_at),
        "has_private": bool(picture.private_metadata),
        "retryable": bool(telling and lifecycle.may_retry(telling)),
        **may(request),
        **(_NOTHING if picture.state == OriginalState.DELETED else {}),
    }


def may(request: HttpRequest) -> dict[str, bool]:
    """Return what this person may do to pictures."""
    has = request.user.has_perm
    return {
        "may_retry": has("media_jobs.retry_job"),
        "may_redo": has("media_jobs.redo_original"),
        "may_change": has("media_jobs.change_original"),
        "may_delete": has("media_jobs.delete_original"),
        "may_replace": has("media_jobs.add_original") and has("media_jobs.delete_original"),
        "may_download": has(READ_ORIGINALS),
        "may_view_jobs": has("media_jobs.view_job"),
    }


def facts(picture: Original) -> list[tuple[str, str]]:
    """Return what the file tells, by labels that a person reads: only what everybody may know who sees the picture."""
    return [
        (_LABELS.get(name, FACTS[name].label.capitalize() if name in FACTS else name), text)
        for name, text in flat(picture.metadata, picture.metadata.get("captureDate"))
    ]


def flat(value: Any, taken: str | None = None, path: str = "") -> list[tuple[str, str]]:
    """Flatten nested metadata to rows of a name and a text, in their order."""
    if isinstance(value, dict):
        return [row for name, part in value.items() for row in flat(part, taken, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [(path, ", ".join(str(part) for part in value))]
    if path == "captureDate" and taken:
        return [(path, _taken(taken))]
    return [(path, "" if value is None else str(value))]


def _taken(text: str) -> str:
    """Write the camera's time as the pages do; its zone where the camera knew it."""
    at = parse_datetime(text)
    if at is None:
        return text
    zone = f" UTC{at:%z}" if at.tzinfo else ", by the camera's clock"
    return f"{at.day} {at:%B %Y, %H:%M}{zone}"


def _versions(picture: Original) -> list[dict[str, Any]]:
    """All web versions, the current ones first and the largest of them, then those of before that are still there."""
    if picture.deleted_at:
        return []
    made = picture.derivatives.exclude(state=DerivativeState.PENDING).select_related("preset")
    current = [one for one in made if one.state == DerivativeState.CURRENT]
    stale = _stale_ids(picture) if current else {}
    former = sorted(
        (one for one in made if one.state == DerivativeState.REPLACED), key=lambda one: one.pk, reverse=True
    )
    current.sort(key=lambda one: (-one.width_px * one.height_px, one.rendition))
    return [_version(one, stale) for one in [*current, *former]]


def _version(made: Derivative, stale: dict[Any, list[str]]) -> dict[str, Any]:
    former = made.state == DerivativeState.REPLACED
    name = f"{made.rendition} of {made.created_at:%-d %b, %H:%M}" if former else made.rendition
    return {
        "made": made,
        "id": str(made.pk),
        "name": name,
        "former": former,
        "url": selectors.derivative_url(made),
        "dimensions": cells.dimensions(made.width_px, made.height_px),
        "size": cells.size(made.size_bytes),
        "preset": str(made.preset),
        "stale": ", ".join(cells.STALE[why] for why in stale.get(made.pk, [])),
    }


def _stale_ids(picture: Original) -> dict[Any, list[str]]:
    presets = list(Preset.objects.filter(current=True).prefetch_related("renditions"))
    found: dict[Any, list[str]] = {}
    for why, condition in staleness.reasons(presets, staleness.current_engine()).items():
        current = Derivative.objects.filter(condition, original=picture, state=DerivativeState.CURRENT)
        for pk in current.values_list("pk", flat=True):
            found.setdefault(pk, []).append(why.value)
    return found


def _shown(request: HttpRequest, versions: list[dict[str, Any]]) -> dict[str, Any] | None:
    asked = request.GET.get("size", "")
    current = [one for one in versions if not one["former"]]
    fitting = [one for one in current if max(one["made"].width_px, one["made"].height_px) <= 2048]
    usual = next(iter(fitting or current), None)
    return next((one for one in versions if one["id"] == asked), usual)


def _compared(request: HttpRequest, picture: Original, versions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Two versions to look at side by side: those that were asked for."""
    by_id = {one["id"]: one for one in versions}
    left, right = by_id.get(request.GET.get("left", "")), by_id.get(request.GET.get("right", ""))
    return {"left": left, "right": right} if left and right else None


def open_jobs(picture: Original) -> list[dict[str, Any]]:
    """Return the jobs that wait or are in work, each with why it is not done yet."""
    jobs = picture.jobs.filter(state__in=[JobState.QUEUED, JobState.PROCESSING]).select_related("preset")
    return [_open(job) for job in jobs.order_by("-id")[:_SHOWN_JOBS]]


def _open(job: Job) -> dict[str, Any]:
    return {"job": job, "state": cells.state_label(job.state), "sentences": status_text.sentences(job)}


def _job(job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "state": cells.state_label(job.state),
        "age": cells.ago(job.created_at),
        "duration": cells.duration(job),
        "failure": cells.failure(job.code, job.detail),
        "timeline": timeline.of(job),
    }


def _history(picture: Original) -> list[Change]:
    return changes.history_of(picture)[:20]


def link(picture: Original, **query: str) -> str:
    """Return the address of a picture's page."""
    page = reverse("admin:media_jobs_original_change", args=[picture.pk])
    return f"{page}?{urlencode(query)}" if query else page
