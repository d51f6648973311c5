"""Pictures as tiles: the thumbnail, the name, and what the thumbnail does not show."""

from typing import Any

from django.urls import reverse

from media_jobs import selectors
from media_jobs.admin import cells
from media_jobs.admin.access.caller_names import names_of
from media_jobs.library.source_types import is_by_ai
from media_jobs.models import Derivative, Original
from media_jobs.states import JobState

#: A thumbnail in the grid is as large as this on most screens.
_THUMB_PX = 200


def tiles_of(pictures: list[Original]) -> list[dict[str, Any]]:
    """Return what is shown of each of these pictures, which come `rows.loaded`."""
    names = names_of({picture.owner for picture in pictures})
    link = reverse("admin:media_jobs_original_change", args=["0"])  # once: sixty are a tenth of the page's time
    return [_tile(picture, names, link.replace("/0/", f"/{picture.pk}/")) for picture in pictures]


def _tile(picture: Original, names: dict[str, str], link: str) -> dict[str, Any]:
    state = picture.latest_state or ""  # type: ignore[attr-defined]  # annotated
    thumbnail = _thumbnail(picture.pictures)  # type: ignore[attr-defined]  # prefetched
    return {
        "picture": picture,
        "name": str(picture),
        "link": link,
        "src": selectors.derivative_url(thumbnail) if thumbnail else "",
        "placeholder": cells.placeholder(picture),
        "state": state,
        "open": state in (JobState.QUEUED, JobState.PROCESSING),
        "says": _says(state, bool(thumbnail)),
        "icon": cells.ICONS.get(state, "image"),
        "why": picture.latest_detail or "",  # type: ignore[attr-defined]  # annotated
        "by_ai": is_by_ai(picture.digital_source_type),
        "dimensions": cells.dimensions(picture.width_px, picture.height_px),
        "size": cells.size(picture.size_bytes),
        "who": names[picture.owner],
        "when": cells.ago(picture.created_at),
    }


def _thumbnail(pictures: list[Derivative]) -> Derivative | None:
    """The smallest that fills its place in the grid, else the largest; they come largest first."""
    filling = [made for made in pictures if min(made.width_px, made.height_px) >= _THUMB_PX * 0.75]
    return filling[-1] if filling else (pictures[0] if pictures else None)


def _says(state: str, has_picture: bool) -> str:
    """Say of a picture what its image does not show."""
    words = {
        JobState.QUEUED.value: "Waiting",
        JobState.PROCESSING.value: "In work",
        JobState.FAILED.value: "Failed",
        JobState.CANCELLED.value: "Cancelled",
        "": "No job yet",
    }
    return words.get(state, "" if has_picture else "No web version")
