"""What the scoreboard's page shows: the error rate with its interval, verdicts by day, and what is lacking."""

from typing import Any

from django.urls import reverse

from media_jobs.admin import queries
from media_jobs.admin.cutover import words
from media_jobs.library import scoreboard, shadows
from media_jobs.library.scoreboard import Day, Scoreboard
from media_jobs.pipeline.compare.values import Verdict

DAYS = 7
#: From left to right in a day's bar.
_STACKED = (Verdict.WORSE, Verdict.DIFFERENT, Verdict.MISSING, Verdict.SAME, Verdict.BETTER)
_WIDTH = 100


def context() -> dict[str, Any]:
    found = scoreboard.read(DAYS)
    return {
        "board": found,
        "days_shown": DAYS,
        "state": _state(found),
        "says": _says(found),
        "rate": _percent(found.rate),
        "low": _percent(found.low),
        "high": _percent(found.high),
        "limit": _percent(found.limit),
        "scale": _scale(found),
        "tiles": [_tile(verdict, found) for verdict in words.VERDICTS],
        "days": _days(found.days),
        "verdicts": [(verdict, words.VERDICTS[verdict]) for verdict in _STACKED],
        "to_judge": shadows.count(at_most=queries.BADGE_MOST + 1),
        "most": queries.BADGE_MOST,
    }


def _state(found: Scoreboard) -> str:
    if found.over:
        return "over"
    return "thin" if found.thin else "fine"


def _says(found: Scoreboard) -> str:
    """One sentence: what the guard of the ramp goes by."""
    limit = _percent(found.limit)
    if found.over:
        return f"Too many are worse: over the limit of {limit}. A guarded flag cannot be raised, and falls back."
    if not found.judged:
        return "Nothing was compared yet."
    if found.thin:
        return (
            f"Too few to say that less than {limit} are worse: {found.needed:,} more without an error would do. "
            "A guarded flag cannot be raised yet."
        )
    return f"Less than {limit} are worse, with 95 % confidence. A guarded flag may be raised."


def _scale(found: Scoreboard) -> dict[str, str]:
    """Places on a line from nothing to twice the limit, or as far as the interval reaches; in its hundredths."""
    end = max(2 * found.limit, found.high)

    def place(value: float) -> str:
        return f"{100 * value / end:.2f}"

    width = f"{float(place(found.high)) - float(place(found.low)):.2f}"
    return {"low": place(found.low), "width": width, "rate": place(found.rate), "limit": place(found.limit)}


def _tile(verdict: str, found: Scoreboard) -> dict[str, Any]:
    return {
        "title": words.VERDICTS[verdict],
        "count": f"{found.verdicts[Verdict(verdict)]:,}",
        "bad": verdict == Verdict.WORSE and found.errors,
        "link": f"{reverse('desk:shadows')}?show={verdict}",
    }


def _days(days: list[Day]) -> list[dict[str, Any]]:
    """Each day with its bar, in pieces from left to right; the busiest is as long as can be."""
    most = max((sum(day.verdicts.values()) for day in days), default=0) or 1
    return [{"date": day.date, "counts": _counts(day), "pieces": _pieces(day, most)} for day in reversed(days)]


def _counts(day: Day) -> list[int]:
    return [day.verdicts.get(verdict, 0) for verdict in _STACKED]


def _pieces(day: Day, most: int) -> list[dict[str, str]]:
    pieces, left = [], 0.0
    for verdict in _STACKED:
        width = _WIDTH * day.verdicts.get(verdict, 0) / most
        if width:
            pieces.append({"verdict": str(verdict), "x": f"{left:.2f}", "width": f"{width:.2f}"})
        left += width
    return pieces


def _percent(share: float) -> str:
    return f"{share:.2%}".replace("%", "\N{NO-BREAK SPACE}%")
