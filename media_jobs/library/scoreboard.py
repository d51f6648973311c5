"""How well this service does beside a live site, by the shadows of the last days."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from django.conf import settings
from django.db.models import Case, Count, Value, When
from django.utils import timezone

from media_jobs.library import binomial
from media_jobs.models import Shadow
from media_jobs.pipeline.compare.values import Verdict
from media_jobs.states import ShadowState


class Counted:
    """What was counted, by verdict: those of people, and else those of comparisons."""

    verdicts: dict[Verdict, int]

    @property
    def judged(self) -> int:
        """Pictures of which there are both the site's and ours, or ought to be ours: all but those that are missing."""
        return sum(self.verdicts.values()) - self.verdicts.get(Verdict.MISSING, 0)

    @property
    def errors(self) -> int:
        return self.verdicts.get(Verdict.WORSE, 0)


@dataclass(frozen=True)
class Day(Counted):
    """What came of the shadows that were written on one day."""

    date: date
    verdicts: dict[Verdict, int]


@dataclass(frozen=True)
class Scoreboard(Counted):
    """What came of the shadows that were written within some days.

    The error rate is the share of `worse` among what is judged. `worse` is also a picture that the site has and this
    service could not make. Not judged, and in neither number, is what nothing can be said of: `missing`, where the site
    has no picture although its grace time is over, and what failed, where the comparison itself could not be made.

    verdicts: how many of each. waiting: not compared yet. failed: cannot be compared.
    limit: the share of errors that is tolerated.
    days: the oldest first, without gaps.
    """

    verdicts: dict[Verdict, int]
    days: list[Day]
    waiting: int
    failed: int
    limit: float

    @property
    def rate(self) -> float:
        """The share of errors that was counted; 0 where nothing was."""
        return self.errors / self.judged if self.judged else 0.0

    @cached_property
    def low(self) -> float:
        """The error rate is not below this, with 95 % confidence (Clopper-Pearson, one-sided, as `high`)."""
        return binomial.lower_bound(self.errors, self.judged)

    @cached_property
    def high(self) -> float:
        """The error rate is not above this, with 95 % confidence."""
        return binomial.upper_bound(self.errors, self.judged)

    @property
    def over(self) -> bool:
        """Whether there are too many errors: beyond what chance explains, or, where enough is judged, as counted.

        Enough is what could prove the limit if it were without an error: 598 for 0.5 %. So a single error among the
        first hundred pictures is no alarm, and two among seventy are.
        """
        return self.low > self.limit or (self.judged >= binomial.enough(0, self.limit) and self.rate > self.limit)

    @property
    def thin(self) -> bool:
        """Whether too little is judged to say, with 95 % confidence, that the error rate is below the limit."""
        return self.high >= self.limit

    @cached_property
    def needed(self) -> int:
        """How many more without an error it takes until it is not `thin`."""
        return max(0, binomial.enough(self.errors, self.limit) - self.judged) if self.thin else 0


def read(days: int = 7) -> Scoreboard:
    """Count the shadows that were written within the last `days`, today among them: one query."""
    now = timezone.localtime()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [now - timedelta(days=days), *(midnight - timedelta(days=back) for back in reversed(range(days)))]
    # Compared by the database itself: SQLite would call a function of Python's for the date of each row.
    day = Case(*(When(created_at__gte=begin, then=Value(n)) for n, begin in reversed(list(enumerate(begins)))))
    rows = (
        Shadow.objects.filter(created_at__gte=begins[0])
        .order_by()
        .values_list(day, "ruling", "state")
        .annotate(shadows=Count("*"))
    )
    verdicts: dict[Verdict, int] = dict.fromkeys(Verdict, 0)
    by_day: list[dict[Verdict, int]] = [{} for _ in begins]
    waiting = failed = 0
    for number, ruling, state, shadows in rows:
        if ruling:
            verdict = Verdict(ruling)
            verdicts[verdict] += shadows
            by_day[number][verdict] = by_day[number].get(verdict, 0) + shadows
        elif state == ShadowState.FAILED:
            failed += shadows
        else:
            waiting += shadows
    return Scoreboard(
        verdicts,
        [Day(begin.date(), found) for begin, found in zip(begins, by_day, strict=True)],
        waiting,
        failed,
        limit=settings.SHADOW_ERROR_LIMIT,
    )
