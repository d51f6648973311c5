"""The library's page."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from media_jobs import selectors
from media_jobs.admin import cells, desk
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.library import chips
from media_jobs.library import rows
from media_jobs.library.filters import FORMATS, Filter, Shown, Sort
from media_jobs.library.source_types import is_by_ai
from media_jobs.models import Derivative, Original, Preset
from media_jobs.states import JobState

VIEW = "media_jobs.view_original"
_PAGE = 60
#: The count above the pictures says “1,000+” from here on.
_COUNTED = 1_000
#: A thumbnail in the grid is as large as this on most screens.
_THUMB_PX = 200
_SORTS = {Sort.NEWEST: "Newest", Sort.OLDEST: "Oldest", Sort.NAME: "File name", Sort.LARGEST: "Largest"}
_WAITS = (JobState.QUEUED, JobState.PROCESSING)


@desk.page(VIEW)
@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """Pictures by a filter, as a grid or as a list, page by page."""
    wanted = Filter.from_query(request.GET)
    view = "list" if request.GET.get("view") == "list" else ""
    page = rows.page(wanted, cursor=request.GET.get("after", ""), size=_PAGE)
    found = rows.count(wanted, at_most=_COUNTED + 1)
    context = {
        "wanted": wanted,
        "narrow": wanted.is_narrow,
        "view": view,
        "tiles": _tiles(page.pictures),
        "count": f"{_COUNTED:,}+" if found > _COUNTED else f"{found:,}",
        "one": found == 1,
        "active": chips.active(wanted, view),
        "quick": chips.quick(wanted, view),
        "sorts": [
            (_SORTS[kind], chips.address(wanted.with_(sort=kind.value), view=view), kind == wanted.sort)
            for kind in Sort
        ],
        "grid_link": chips.address(wanted),
        "list_link": chips.address(wanted, view="list"),
        "next_link": chips.address(wanted, view=view, after=page.following) if page.following else "",
        "first_link": chips.address(wanted, view=view) if request.GET.get("after") else "",
        "hidden": [(name, value) for name, value in {**wanted.to_query(), "view": view}.items() if value],
        "choices": _choices(),
        "query": urlencode(wanted.to_query()),
    }
    return desk.show(request, "admin/library/library.html", "Library", **context)


def _tiles(pictures: list[Original]) -> list[dict[str, Any]]:
    names = names_of({picture.owner for picture in pictures})
    return [_tile(picture, names) for picture in pictures]


def _tile(picture: Original, names: dict[str, str]) -> dict[str, Any]:
    state = picture.latest_state or ""  # type: ignore[attr-defined]  # annotated
    thumbnail = _thumbnail(picture.pictures)  # type: ignore[attr-defined]  # prefetched
    return {
        "picture": picture,
        "name": str(picture),
        "link": reverse("admin:media_jobs_original_change", args=[picture.pk]),
        "src": selectors.derivative_url(thumbnail) if thumbnail else "",
        "placeholder": cells.placeholder(picture),
        "state": state,
        "says": _says(state, bool(thumbnail)),
        "icon": cells.ICONS.get(state, "image"),
        "waits": state in _WAITS,
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


def _choices() -> dict[str, Any]:
    names = Preset.objects.filter(current=True).order_by("name").values_list("name", flat=True)
    return {
        "states": [(kind.value, chips.STATES[kind]) for kind in Shown],
        "presets": list(names),
        "formats": FORMATS,
        "sizes": chips.SIZES.items(),
        "cameras": rows.cameras(),
        "tags": rows.tags(),
    }
