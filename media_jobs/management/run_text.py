"""A run in words and figures, for who called the command."""

from typing import Any

from django.db.models import Count

from media_jobs.models import ReprocessRun, RunItem
from media_jobs.states import RunItemState


def cost_said(cost: dict[str, Any]) -> str:
    """An estimate for a person; what nothing is known of is left out."""
    parts = [f"{'' if cost['exact'] else 'about '}{cost['images']:,} images"]
    if cost["cpu_s"] is not None:
        parts.append(f"{duration(cost['cpu_s'])} of processor time")
    parts.append(f"{size(cost['read_bytes'])} to read")
    if cost["write_bytes"] is not None:
        parts.append(f"{size(cost['write_bytes'])} to write")
    parts.append(f"{cost['requests']:,} requests to the storage")
    if cost["peak_bytes"] is not None:
        parts.append(f"{size(cost['peak_bytes'])} for old and new files together")
    return ", ".join(parts) + "."


def size(count: int) -> str:
    """Return a number of bytes for a person: 0.2 MB, 3.1 GB."""
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"


def summary_of(run: ReprocessRun) -> dict[str, Any]:
    """What became of the run's images, JSON-ready. codes: of those that failed or were skipped, the commonest first."""
    ended = RunItem.objects.filter(run=run, state__in=[RunItemState.FAILED, RunItemState.SKIPPED])
    counted = ended.values_list("state", "code").annotate(count=Count("pk")).order_by("-count", "code")
    codes: dict[str, dict[str, int]] = {"failed": {}, "skipped": {}}
    for state, code, count in counted:
        codes[state][code] = count
    return {
        "run": str(run.pk),
        "state": run.state,
        "total": run.total,
        "done": run.done,
        "skipped": run.skipped,
        "failed": run.failed,
        "left": run.left,
        "codes": codes,
    }


def duration(seconds: float) -> str:
    """Return a time for a person: 42 s, 17 min, 5 h 40 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
