"""How many images of a run may begin now: its rate, its quiet hours, and how the rest of the service fares."""

from datetime import time, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from media_jobs.errors import BadRequest
from media_jobs.models import ReprocessRun

#: What a rate allows may be caught up within so many seconds, and no longer.
_BURST_S = 2.0


def allows(run: ReprocessRun) -> bool:
    """Return whether anything may begin now, leaving the rate aside."""
    return not in_quiet_hours(run.quiet_hours) and not (run.throttled_until and run.throttled_until > timezone.now())


def take(run: ReprocessRun, at_most: int) -> int:
    """Return how many images may begin now, at most `at_most`, and count them as begun."""
    if not allows(run):
        return 0
    if not run.rate_per_minute:
        return at_most
    each_s = 60 / run.rate_per_minute
    count = max(1, min(at_most, int(_BURST_S / each_s)))
    since = Greatest(Coalesce(F("next_at"), Now()), Now() - timedelta(seconds=_BURST_S))
    free = Q(next_at=None) | Q(next_at__lte=Now() - timedelta(seconds=each_s * (count - 1)))
    while count:
        if ReprocessRun.objects.filter(free, pk=run.pk).update(next_at=since + timedelta(seconds=each_s * count)):
            return count
        count //= 2
        free = Q(next_at=None) | Q(next_at__lte=Now() - timedelta(seconds=each_s * max(0, count - 1)))
    return 0


def in_quiet_hours(hours: str) -> bool:
    """Return whether it is a time in `hours`, as in 08:00-18:00, which may go past midnight; empty: never."""
    if not hours:
        return False
    begin, end = parse_hours(hours)
    now = timezone.localtime().time()
    return begin <= now < end if begin < end else now >= begin or now < end


def parse_hours(hours: str) -> tuple[time, time]:
    """Return beginning and end. Raises BadRequest."""
    try:
        begin, end = (time.fromisoformat(part) for part in hours.split("-"))
    except ValueError:
        raise BadRequest(f"{hours[:40]!r} are no hours; they look like 08:00-18:00.") from None
    if begin == end:
        raise BadRequest("Quiet hours begin and end at different times.")
    return begin, end
