"""Which shadows somebody should look at, in which order, and how many there are of what."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db.models import Count, QuerySet

from media_jobs.models import Shadow
from media_jobs.pipeline.compare.values import Reason, Verdict

#: What a person should look at, the worst first.
NEEDS_EYE = (Verdict.WORSE, Verdict.DIFFERENT)
TO_DO, BY_PEOPLE = "todo", "people"
#: What may be shown: what waits for a person, what people have judged, or all that counts as one verdict.
SHOWN = (TO_DO, BY_PEOPLE, *Verdict)


@dataclass(frozen=True, slots=True)
class Filter:
    """show: one of SHOWN. reason: only what was decided by it; empty for all."""

    show: str = TO_DO
    reason: str = ""

    @classmethod
    def read(cls, query: dict[str, Any]) -> Self:
        """From an address. What is not known is as if it were not said."""
        show, reason = str(query.get("show", "")), str(query.get("reason", ""))
        return cls(show if show in SHOWN else TO_DO, reason if reason in list(Reason) else "")

    @property
    def verdicts(self) -> tuple[str, ...]:
        """By which the list is made, one after the other; empty: by none."""
        if self.show == BY_PEOPLE:
            return ("",)
        return NEEDS_EYE if self.show == TO_DO else (self.show,)

    def of(self, verdict: str) -> QuerySet[Shadow]:
        """Those of one of `verdicts`, the newest first."""
        found = Shadow.objects.order_by("-pk")
        if self.show == TO_DO:
            found = found.filter(verdict=verdict, judged_as="", ruling=verdict)
        elif self.show == BY_PEOPLE:
            found = found.exclude(judged_as="")
        else:
            found = found.filter(ruling=verdict)
        return found.filter(reason=self.reason) if self.reason else found


def page(chosen: Filter, *, after: Shadow | None = None, size: int) -> list[Shadow]:
    """The next ones of the list, behind `after`."""
    rows: list[Shadow] = []
    verdicts = chosen.verdicts
    if after and (at := _place(chosen, after)) is not None:
        verdicts = verdicts[at:]
    for verdict in verdicts:
        found = chosen.of(verdict)
        if after and verdict in ("", _listed_as(chosen, after)):
            found = found.filter(pk__lt=after.pk)
        rows += found[: size - len(rows)]
        if len(rows) == size:
            break
    return rows


def following(chosen: Filter, shadow: Shadow) -> Shadow | None:
    """The one behind `shadow`, whether that is itself in the list or not any more."""
    return next(iter(page(chosen, after=shadow, size=1)), None)


def preceding(chosen: Filter, shadow: Shadow) -> Shadow | None:
    """The one before `shadow`."""
    at = _place(chosen, shadow)
    verdicts = chosen.verdicts if at is None else chosen.verdicts[: at + 1]
    for verdict in reversed(verdicts):
        found = chosen.of(verdict).order_by("pk")
        if verdict in ("", _listed_as(chosen, shadow)):
            found = found.filter(pk__gt=shadow.pk)
        if one := found.first():
            return one
    return None


def count(*, at_most: int) -> int:
    """How many wait for a person."""
    return sum(Filter().of(verdict).order_by()[:at_most].count() for verdict in NEEDS_EYE)


def reasons(chosen: Filter) -> list[tuple[str, int]]:
    """The reasons in the list, whichever of them is chosen, with how many there are of each, the most first."""
    whole, counts = Filter(chosen.show), dict[str, int]()
    for verdict in whole.verdicts:
        for reason, number in whole.of(verdict).order_by().values_list("reason").annotate(Count("pk")):
            counts[reason] = counts.get(reason, 0) + number
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def find(shadow_id: UUID) -> Shadow | None:
    return Shadow.objects.select_related("original", "job").filter(pk=shadow_id).first()


def _listed_as(chosen: Filter, shadow: Shadow) -> str:
    """Under which verdict it stands in the list, or stood before somebody judged it."""
    return shadow.verdict if chosen.show == TO_DO else shadow.ruling


def _place(chosen: Filter, shadow: Shadow) -> int | None:
    listed = _listed_as(chosen, shadow)
    return chosen.verdicts.index(listed) if listed in chosen.verdicts else None
