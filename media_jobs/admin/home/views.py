"""Parts of the first page that take long among very many: a script asks for them when the page is there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from media_jobs import staleness
from media_jobs.admin import cells, desk
from media_jobs.admin.home import page
from media_jobs.library import overview
from media_jobs.services import stored
from media_jobs.states import StoredKind

VIEW = "media_jobs.view_job"
_HEIGHT = 60
_KINDS = {
    StoredKind.ORIGINAL: "Pictures, as they came",
    StoredKind.DERIVATIVE: "Web versions",
    StoredKind.REPLACED: "Former web versions, kept for a week",
}


@desk.page(VIEW)
@require_safe
def chart(request: HttpRequest) -> HttpResponse:
    """Throughput and failures of the last day and month."""
    charts = [
        _chart("The last 24 hours", overview.last_day(), "%H:%M"),
        _chart("The last 30 days", overview.last_month(), "%-d %b"),
    ]
    part = desk.fragment(request, "admin/home/chart.html", charts=charts)
    return desk.live(request, part, over=True)


@desk.page(VIEW)
@require_safe
@never_cache
def work(request: HttpRequest) -> HttpResponse:
    """What waits and who works on what; over when nothing is left, which Home does not look at."""
    shown = page.work()
    return desk.live(request, desk.fragment(request, "admin/home/work.html", **shown), over=not shown["open"])


@desk.page("media_jobs.view_original")
@require_safe
def storage(request: HttpRequest) -> HttpResponse:
    """How many files there are of each kind, and how much room they take."""
    kinds = [(_KINDS[one.kind], f"{one.objects:,}", cells.size(one.bytes)) for one in stored.by_kind()]
    return desk.live(request, desk.fragment(request, "admin/home/storage.html", kinds=kinds), over=True)


@desk.page("media_jobs.view_preset")
@require_safe
def stale(request: HttpRequest) -> HttpResponse:
    """How many web versions are stale, of all presets."""
    part = desk.fragment(request, "admin/home/stale.html", stale=staleness.count())
    return desk.live(request, part, over=True)


def _chart(title: str, bars: list[overview.Bar], form: str) -> dict[str, Any]:
    most = max((bar.done + bar.failed for bar in bars), default=0) or 1
    drawn = []
    for number, bar in enumerate(bars):
        done, failed = round(bar.done / most * _HEIGHT, 1), round(bar.failed / most * _HEIGHT, 1)
        drawn.append(
            {
                "x": number * 10,
                "done": done,
                "failed": failed,
                "done_y": _HEIGHT - done,
                "failed_y": _HEIGHT - done - failed,
                "when": f"{timezone.localtime(bar.at):{form}}",
                "bar": bar,
            }
        )
    totals = sum(bar.done for bar in bars), sum(bar.failed for bar in bars)
    return {"title": title, "bars": drawn, "width": len(bars) * 10, "height": _HEIGHT, "most": most, "totals": totals}
