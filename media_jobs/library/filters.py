"""What somebody looks for in the library, as a value that goes into an address and comes back out of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from django.utils import timezone

from media_jobs.pipeline.formats.sniff import RAW_FORMATS

FORMATS = ("avif", "bmp", "gif", "heic", "jpeg", "png", "raw", "tiff", "webp")


class Shown(StrEnum):
    """How a picture is, by its newest job."""

    FAILED = "failed"
    WAITING = "waiting"  #: queued, or in work
    DONE = "done"
    CANCELLED = "cancelled"
    NO_JOB = "none"


class Period(StrEnum):
    """When it was uploaded, by the days of the service's time zone."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    LARGEST = "largest"


#: By their word in the address: the smallest size in bytes, and the first that is too large.
SIZES: dict[str, tuple[int, int | None]] = {
    "under-100k": (0, 100_000),
    "100k-1m": (100_000, 1_000_000),
    "1m-10m": (1_000_000, 10_000_000),
    "over-10m": (10_000_000, None),
}
_WORDS: dict[str, Iterable[str]] = {
    "state": Shown,
    "period": Period,
    "sort": Sort,
    "size": SIZES,
    "format": FORMATS,
}
_FLAGS = ("no_credit", "no_licence", "stale", "ai", "deleted")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pictures. Each field narrows the choice, unless it is empty.

    q: words of the file name, a tag, a creator, or the beginning of an id or SHA-256. day_from, day_to: both are part
    of it. no_credit: nobody is named. deleted: those that can be restored, in place of all others.
    """

    q: str = ""
    state: str = ""
    preset: str = ""
    owner: str = ""
    tag: str = ""
    format: str = ""
    size: str = ""
    camera: str = ""
    licence: str = ""
    period: str = ""
    day_from: str = ""
    day_to: str = ""
    no_credit: bool = False
    no_licence: bool = False
    stale: bool = False
    ai: bool = False
    deleted: bool = False
    sort: str = Sort.NEWEST

    @classmethod
    def from_query(cls, query: Mapping[str, Any]) -> Self:
        """Read an address; what it cannot mean is left out."""
        said = {field.name: str(query.get(field.name, "")).replace("\0", "").strip()[:200] for field in fields(cls)}
        given: dict[str, Any] = {name: text for name, text in said.items() if text and name not in _FLAGS}
        given |= {name: bool(said[name]) for name in _FLAGS}
        for name, words in _WORDS.items():
            if name in given and given[name] not in list(words):
                del given[name]
        for name in ("day_from", "day_to"):
            if name in given and _day(given[name]) is None:
                del given[name]
        return cls(**given)

    def to_query(self) -> dict[str, str]:
        """Return what an address says of it; nothing that is as by default."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: "1" if value is True else str(value) for name, (value, usual) in values.items() if value != usual}

    def without(self, name: str) -> Self:
        usual: dict[str, Any] = {field.name: field.default for field in fields(self)}
        return replace(self, **{name: usual[name]})

    def with_(self, **said: Any) -> Self:
        return replace(self, **said)

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.with_(sort=Sort.NEWEST).to_query())

    def uploaded(self) -> tuple[datetime | None, datetime | None]:
        """Return the moments between which it was uploaded: the first is part of that, the second is not."""
        today = timezone.localdate()
        days = {
            Period.TODAY: (today, today),
            Period.YESTERDAY: (today - timedelta(days=1), today - timedelta(days=1)),
            Period.WEEK: (today - timedelta(days=today.weekday()), today),
        }
        first, last = days.get(self.period, (None, None))  # type: ignore[call-overload]  # a StrEnum's values are str
        first, last = _day(self.day_from) or first, _day(self.day_to) or last
        after = _midnight(first) if first else None
        return after, _midnight(last + timedelta(days=1)) if last else None

    def formats(self) -> tuple[str, ...]:
        return tuple(RAW_FORMATS) if self.format == "raw" else (self.format,)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day and 1 < day.year < 9999 else None  # there is a day before and after it in every zone


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
