"""How many images of a run may begin now: its rate, its quiet hours, and how the rest of the service fares."""

from datetime import time, timedelta

from django.db.models.functions import Now
from django.utils import timezone

from media_jobs.errors import BadRequest
from media_jobs.models import ReprocessRun

#: So much of what a rate allowed and nobody took may be caught up.
_CATCH_UP = timedelta(seconds=10)


def allows(run: ReprocessRun) -> bool:
    """Return whether anything may begin now, leaving the rate aside."""
    return not in_quiet_hours(run.quiet_hours) and not (run.throttled_until and run.throttled_until > timezone.now())


def take(run: ReprocessRun, at_most: int) -> int:
    """Return how many images may begin now, at most `at_most`, and count them as begun."""
    if not allows(run):
        return 0
    if not run.rate_per_minute:
        return at_most
    each = timedelta(seconds=60 / run.rate_per_minute)
    row = ReprocessRun.objects.filter(pk=run.pk)
    next_at, now = row.annotate(now=Now()).values_list("next_at", "now").get()
    # A run that has waited began, so to speak, a while ago; the time of the next one moves on by what begins now.
    since = max(next_at or now, now - _CATCH_UP)
    count = min(at_most, int((now - since) / each) + 1) if since <= now else 0
    if count and row.filter(next_at=next_at).update(next_at=since + count * each):
        return count
    return 0  # not yet, or another process took its share at the same moment


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
