"""What the filter is, as chips that remove it, and what it could be, as chips that add it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.queries import BADGE_MOST
from media_jobs.library import rows
from media_jobs.library.filters import Filter, Period, Shown

STATES: dict[str, str] = {
    Shown.FAILED: "Failed",
    Shown.WAITING: "Waiting or in work",
    Shown.DONE: "Done",
    Shown.CANCELLED: "Cancelled",
    Shown.NO_JOB: "No job",
}
_PERIODS: dict[str, str] = {
    Period.TODAY: "Uploaded today",
    Period.YESTERDAY: "Uploaded yesterday",
    Period.WEEK: "Uploaded this week",
}
SIZES = {
    "under-100k": "under 100 KB",
    "100k-1m": "100 KB to 1 MB",
    "1m-10m": "1 to 10 MB",
    "over-10m": "over 10 MB",
}
_FLAGS = {
    "no_credit": "No credit",
    "no_licence": "No licence",
    "stale": "Stale web versions",
    "ai": "Made or changed by AI",
    "deleted": "Recently deleted",
}
_TEXTS = {
    "preset": "Preset {}",
    "tag": "Tag {}",
    "format": "Format {}",
    "camera": "Camera {}",
    "licence": "Licence {}",
    "day_from": "From {}",
    "day_to": "To {}",
    "q": "“{}”",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """title: what it says. link: where it leads. count: how many pictures that finds, where it is counted."""

    title: str
    link: str
    count: str = ""


def address(wanted: Filter, **more: str) -> str:
    """Return the part of an address that says what is wanted."""
    return "?" + urlencode({**wanted.to_query(), **{name: text for name, text in more.items() if text}})


def active(wanted: Filter, view: str) -> list[Chip]:
    """Return a chip for each part of the filter; it leads to the same without that part."""
    return [
        Chip(_title(name, value), address(wanted.without(name), view=view))
        for name, value in wanted.to_query().items()
        if name != "sort"
    ]


def quick(wanted: Filter, view: str) -> list[Chip]:
    """Return what is looked for most, with how many there are, as far as it is not part of the filter already.

    Only counts that an index answers are made, each to a hundred at most.
    """
    offered: list[tuple[str, dict[str, Any], bool]] = [
        (STATES[Shown.FAILED], {"state": Shown.FAILED.value}, True),
        (STATES[Shown.WAITING], {"state": Shown.WAITING.value}, True),
        ("Today", {"period": Period.TODAY.value}, True),
        ("Yesterday", {"period": Period.YESTERDAY.value}, True),
        ("This week", {"period": Period.WEEK.value}, True),
        (_FLAGS["no_credit"], {"no_credit": True}, True),
        (_FLAGS["ai"], {"ai": True}, True),
        (_FLAGS["stale"], {"stale": True}, False),
        (_FLAGS["deleted"], {"deleted": True}, True),
    ]
    chips = []
    for title, said, counted in offered:
        narrowed = wanted.with_(**said)
        if narrowed == wanted:
            continue
        count = _count(Filter(**said)) if counted and not wanted.is_narrow else ""
        chips.append(Chip(title, address(narrowed, view=view), count))
    return chips


def _count(wanted: Filter) -> str:
    found = rows.count(wanted, at_most=BADGE_MOST + 1)
    return f"{BADGE_MOST}+" if found > BADGE_MOST else str(found)


def _title(name: str, value: str) -> str:
    match name:
        case "state":
            return STATES[value]
        case "period":
            return _PERIODS[value]
        case "size":
            return SIZES[value].capitalize()
        case "owner":
            return f"From {names_of([value])[value]}"
        case _ if name in _FLAGS:
            return _FLAGS[name]
    return _TEXTS[name].format(value)
