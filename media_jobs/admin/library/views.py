"""The library's page."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from media_jobs import selectors
from media_jobs.admin import desk
from media_jobs.admin.bulk.kinds import kinds_for
from media_jobs.admin.library import chips
from media_jobs.admin.library.tiles import tiles_of
from media_jobs.library import rows
from media_jobs.library.filters import FORMATS, Filter, Shown, Sort

VIEW = "media_jobs.view_original"
_PAGE = 48
#: The count above the pictures says “1,000+” from here on.
_COUNTED = 1_000
_SORTS = {Sort.NEWEST: "Newest", Sort.OLDEST: "Oldest", Sort.NAME: "File name", Sort.LARGEST: "Largest"}


@desk.page(VIEW)
@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """Pictures by a filter, as a grid or as a list, page by page."""
    wanted = Filter.from_query(request.GET)
    view = "list" if request.GET.get("view") == "list" else ""
    page = rows.page(wanted, cursor=request.GET.get("after", ""), size=_PAGE)
    whole = not (page.following or "after" in request.GET)
    found = len(page.pictures) if whole else rows.count(wanted, at_most=_COUNTED + 1)
    context = {
        "wanted": wanted,
        "narrow": wanted.is_narrow,
        "view": view,
        "tiles": tiles_of(page.pictures),
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
        "kinds": kinds_for(request, deleted=wanted.deleted),
    }
    return desk.show(request, "admin/library/library.html", "Library", **context)


@desk.page(VIEW)
@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The tiles of some pictures of the page as they are now, until none of them waits any more."""
    asked = [pk for pk in map(_uuid, request.GET.getlist("picture")[:_PAGE]) if pk]
    tiles = tiles_of(list(rows.loaded(selectors.there().filter(pk__in=asked))))
    template = "admin/library/list.html" if request.GET.get("view") == "list" else "admin/library/grid.html"
    return desk.live(
        request, desk.fragment(request, template, tiles=tiles), over=not any(tile["open"] for tile in tiles)
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _choices() -> dict[str, Any]:
    return {
        "states": [(kind.value, chips.STATES[kind]) for kind in Shown],
        "presets": selectors.preset_names(),
        "formats": FORMATS,
        "sizes": chips.SIZES.items(),
        "cameras": rows.cameras(),
        "tags": rows.tags(),
    }
