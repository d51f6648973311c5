"""Queues and workers. django-rq's own pages know queues as the settings name them; ours carry the database's name."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from media_jobs.admin import cells, desk
from media_jobs.errors import QueueUnavailable
from media_jobs.library import overview
from media_jobs.services import queue_state


@desk.page("media_jobs.view_maintenancetask")
@require_safe
def queues(request: HttpRequest) -> HttpResponse:
    """Each lane with what waits in it, and each worker with what it is at."""
    context: dict[str, Any] = {"error": ""}
    at = {job.worker: job for job in overview.at_work(at_most=200)}
    try:
        context["lanes"] = queue_state.lanes()
        context["workers"] = [
            {
                "worker": one,
                "seen": cells.ago(one.seen_at),
                "job": at.get(one.name),
                "since": cells.ago(at[one.name].started_at) if one.name in at else "",
            }
            for one in queue_state.workers()
        ]
    except QueueUnavailable as error:
        context["error"] = str(error)
    return desk.show(request, "admin/queues/queues.html", "Queues", **context)
