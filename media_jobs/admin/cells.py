"""Pieces of pages: labels, pictures, sizes and times as a person reads them."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince, timeuntil

from media_jobs import selectors
from media_jobs.models import Derivative, Job, Original
from media_jobs.states import DeliveryState, DerivativeState, JobState, OriginalState, RunItemState, RunState, Staleness

#: unfold's colours. One table for all kinds of state: their words do not overlap.
VARIANTS: dict[str, str] = {
    JobState.QUEUED: "info",
    JobState.PROCESSING: "warning",
    JobState.DONE: "success",
    JobState.FAILED: "danger",
    JobState.CANCELLED: "default",
    OriginalState.STAGED: "info",
    OriginalState.ACTIVE: "success",
    OriginalState.DELETED: "default",
    DerivativeState.PENDING: "warning",
    DerivativeState.CURRENT: "success",
    DerivativeState.REPLACED: "default",
    # Here `pending` waits for a receiver; the other states of deliveries are called as those above.
    DeliveryState.DELIVERED: "success",
    # Of runs and their images, where they are not called as those above.
    RunState.DRAFT: "info",
    RunState.RUNNING: "warning",
    RunState.PAUSING: "warning",
    RunState.PAUSED: "info",
    RunState.INTERRUPTED: "danger",
    RunState.CANCELLING: "warning",
    RunState.FINISHED: "success",
    RunState.ROLLING_BACK: "warning",
    RunState.ROLLED_BACK: "default",
    RunState.ACCEPTED: "success",
    RunItemState.TODO: "info",
    RunItemState.WORKING: "warning",
    RunItemState.SKIPPED: "default",
}
ICONS: dict[str, str] = {
    JobState.QUEUED: "hourglass_empty",
    JobState.PROCESSING: "autorenew",
    JobState.DONE: "image",
    JobState.FAILED: "broken_image",
    JobState.CANCELLED: "block",
}
#: Why a web version is stale.
STALE: dict[str, str] = {
    Staleness.RECIPE: "its preset has changed",
    Staleness.ENGINE: "there is a newer engine",
    Staleness.OVERRIDES: "it was turned since",
    Staleness.RIGHTS: "its rights were changed since",
}
_PLACEHOLDER = re.compile(r"data:image/webp;base64,[A-Za-z0-9+/=]+")
NOTHING = mark_safe('<span class="gi-quiet">–</span>')  # nosec B308 # a literal


def state_label(state: str) -> SafeString:
    if not state:
        return NOTHING
    return label(state.replace("_", " "), VARIANTS[state])


def label(text: str, variant: str) -> SafeString:
    return render_to_string("unfold/helpers/label.html", {"text": text, "variant": variant})


def thumbnail(pictures: Sequence[Derivative], original: Original, state: str = "") -> SafeString:
    """Show the smallest of `pictures`, or an icon for the `state` of the job."""
    name = str(original)
    if not pictures:
        return format_html(
            '<span class="gi-thumb gi-thumb-none gi-thumb-{}" role="img" aria-label="No picture of {}: {}" title="{}">'
            '<span class="material-symbols-outlined" aria-hidden="true">{}</span></span>',
            state or "none",
            name,
            state or "no job",
            state or "no job",
            ICONS.get(state, "image"),
        )
    return format_html(
        '<img class="gi-thumb" src="{}" alt="Thumbnail of {}" width="56" height="56" loading="lazy" decoding="async">',
        selectors.derivative_url(min(pictures, key=lambda d: d.width_px * d.height_px)),
        name,
    )


def placeholder(original: Original) -> str:
    """Return the tiny picture that stands in for one that loads, as it may stand in a stylesheet; else nothing."""
    return original.placeholder if _PLACEHOLDER.fullmatch(original.placeholder) else ""


def size(size_bytes: int | None) -> str:
    return filesizeformat(size_bytes) if size_bytes else "–"


def dimensions(width_px: int | None, height_px: int | None) -> str:
    return f"{width_px} × {height_px}" if width_px and height_px else "–"


def written(at: datetime, *, exactly: bool = False) -> str:
    """Write a time as all pages do: day, time and zone. exactly: with seconds.

    Templates write `j F Y, H:i e`. Django's own way takes thirty times as long, and a page of the library has sixty.
    """
    return f"{at.day} {at:%B %Y, %H:%M:%S %Z}" if exactly else f"{at.day} {at:%B %Y, %H:%M %Z}"


def moment(at: datetime | None) -> SafeString:
    """Show a time."""
    if at is None:
        return NOTHING
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), written(at))


def ago(moment: datetime | None) -> SafeString:
    """Say how long ago `moment` was, with the exact time in the tooltip."""
    if moment is None:
        return NOTHING
    recent = timezone.now() - moment < timedelta(minutes=1)
    return format_html(
        '<time datetime="{}" title="{}" class="gi-nowrap">{}</time>',
        moment.isoformat(timespec="seconds"),
        written(moment, exactly=True),
        "just now" if recent else f"{timesince(moment, depth=1)} ago",
    )


def until(moment: datetime) -> SafeString:
    """Say in how long `moment` comes, with the exact time in the tooltip."""
    left = moment - timezone.now()
    return format_html(
        '<time datetime="{}" title="{}" class="gi-nowrap">{}</time>',
        moment.isoformat(timespec="seconds"),
        written(moment, exactly=True),
        f"in {timeuntil(moment, depth=1)}" if left >= timedelta(minutes=1) else "within a minute",
    )


def duration(job: Job) -> str:
    """Say how long the last attempt took, or has taken so far."""
    if job.state == JobState.PROCESSING and job.started_at:
        return f"running for {span((timezone.now() - job.started_at).total_seconds())}"
    if job.started_at and job.finished_at and job.finished_at >= job.started_at:
        return f"took {span((job.finished_at - job.started_at).total_seconds())}"
    return ""


def span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def failure(code: str | None, detail: str | None) -> SafeString:
    """Show code and detail of a failure; the stylesheet cuts it after three lines."""
    if not code:
        return NOTHING
    return format_html('<span class="gi-failure" title="{}"><code>{}</code> {}</span>', detail, code, detail)


def link(kind: str, pk: object, text: object) -> SafeString:
    """Link to the page of one object; `kind` is a model's name in lower case."""
    url = reverse(f"admin:media_jobs_{kind}_change", args=[pk])
    return format_html('<a class="gi-link" href="{}">{}</a>', url, text)
