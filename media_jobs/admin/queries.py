"""Queries of the pages. Each takes the same number of statements for three rows as for fifty."""

from collections import Counter
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from media_jobs.models import Derivative, Job, Original
from media_jobs.states import DerivativeState, JobState

#: A badge says "99+" from here on, a list "10,000+": counting stays cheap, whatever has happened.
BADGE_MOST = 99
LIST_MOST = 10_000


class AtLeast(int):
    """A count that stopped at a limit, and shows it: “10,000+”."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


def count_at_most(rows: QuerySet[Any], most: int) -> int:
    """Return how many rows there are, or `AtLeast(most)`. Their order is kept: an index may lead straight to them."""
    found = rows.values("pk")[: most + 1].count()
    return AtLeast(most) if found > most else found


def current_pictures(path: str) -> "Prefetch[str, QuerySet[Derivative], str]":
    """Load the current derivatives of each original into its attribute `pictures`, largest first."""
    rows = Derivative.objects.filter(state=DerivativeState.CURRENT).order_by("-width_px", "-height_px", "id")
    return Prefetch(path, queryset=rows, to_attr="pictures")


def with_latest_job(originals: QuerySet[Original]) -> QuerySet[Original]:
    """Add state, code and detail of the newest job as `latest_state` and so on, None where there is no job."""
    newest = Job.objects.filter(original=OuterRef("pk")).order_by("-id")
    latest = {f"latest_{field}": Subquery(newest.values(field)[:1]) for field in ("state", "code", "detail")}
    return originals.annotate(**latest)


def whose_latest_job_is(originals: QuerySet[Original], state: str) -> QuerySet[Original]:
    """Filter `originals`, which come `with_latest_job`, by the state of that job."""
    newer = Job.objects.filter(original=OuterRef("original"), id__gt=OuterRef("id"))
    latest = Job.objects.filter(~Exists(newer), state=state).order_by("-id").values_list("original", flat=True)
    found = list(latest[: LIST_MOST + 1])  # usually: what failed or waits is little among much that is done
    return originals.filter(pk__in=found) if len(found) <= LIST_MOST else originals.filter(Q(("latest_state", state)))


def failures_by_code() -> dict[str, int]:
    """Count failed jobs by code, most first; at least so many where only the newest could be counted."""
    newest = Job.objects.filter(state=JobState.FAILED).order_by("-id").values_list("code", flat=True)[: LIST_MOST + 1]
    codes = list(newest)
    kind = AtLeast if len(codes) > LIST_MOST else int
    counted = Counter(codes[:LIST_MOST])
    return {code: kind(counted[code]) for code in sorted(counted, key=lambda code: (-counted[code], code))}
