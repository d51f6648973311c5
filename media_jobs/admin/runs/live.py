"""How far a run is, for the script that asks again and again."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from media_jobs.admin import desk
from media_jobs.admin.runs import facts
from media_jobs.models import ReprocessRun


@desk.page("media_jobs.view_reprocessrun")
@require_safe
@never_cache
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The state and the bar of one run; over as soon as it does not move by itself."""
    run = get_object_or_404(ReprocessRun, pk=run_id)
    part = desk.fragment(request, "admin/media_jobs/reprocessrun/bar.html", **facts.progress(run))
    return desk.live(request, part, over=run.state not in facts.RUNNING)
