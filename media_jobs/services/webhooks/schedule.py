"""When an event that was not taken is sent again."""

import random
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone

_MINUTE_S, _HOUR_S = 60, 3600
#: Of the Standard Webhooks specification: waits after the first, second, … attempt; together three days and four hours.
WAITS_S = (
    5,
    5 * _MINUTE_S,
    30 * _MINUTE_S,
    2 * _HOUR_S,
    5 * _HOUR_S,
    10 * _HOUR_S,
    14 * _HOUR_S,
    20 * _HOUR_S,
    24 * _HOUR_S,
)
#: Each wait is drawn from 90 to 110 per cent of it: what failed together does not come back together.
JITTER = 0.1
#: No receiver puts us off for longer at once.
LONGEST_RETRY_AFTER = timedelta(days=1)


def wait_s(attempts: int) -> float | None:
    """Return how long to wait after so many failed attempts; None: that was the last one."""
    if attempts > len(WAITS_S):
        return None
    return round(WAITS_S[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER), 1)  # noqa: S311  (no secret)


def retry_after_s(header: str) -> float:
    """Return the seconds that `Retry-After` asks for, as a number or as a date; 0 for what is neither."""
    if header.isascii() and header.isdecimal():
        asked = timedelta(seconds=min(int(header[:9]), LONGEST_RETRY_AFTER.total_seconds()))
    else:
        try:
            asked = _aware(parsedate_to_datetime(header)) - timezone.now()
        except (ValueError, OverflowError):
            return 0
    return min(max(asked, timedelta()), LONGEST_RETRY_AFTER).total_seconds()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else timezone.make_aware(moment)
