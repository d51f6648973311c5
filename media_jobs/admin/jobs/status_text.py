"""The status of a job, in a sentence."""

from datetime import datetime, timedelta

from django.template.defaultfilters import date as format_date
from django.utils import timezone

from media_jobs import selectors
from media_jobs.admin import cells
from media_jobs.admin.queries import LIST_MOST, AtLeast
from media_jobs.models import Job, MaintenanceTask
from media_jobs.services.housekeeping.tasks import LEASES
from media_jobs.states import JobState, Lane

LANES: dict[str, str] = {
    Lane.INTERACTIVE: "somebody waits for it",
    Lane.BULK: "reprocessing, when no upload waits",
    Lane.HEAVY: "needs much memory, so one at a time",
}
STAGES: dict[str, str] = {
    "waiting": "about to start",
    "fetching": "fetching the original",
    "rendering": "rendering",
    "storing": "storing the pictures",
    "finished": "about to end",
}
#: A worker that runs looks for expired leases more often than this.
_RECENTLY = timedelta(minutes=2)


def lane(job: Job) -> str:
    return f"{job.lane}: {LANES[job.lane]}"


def sentences(job: Job) -> list[str]:
    """Say why the job is not done yet; nothing where it has ended."""
    if job.state == JobState.QUEUED:
        return [_waiting(job), *_no_worker()]
    if job.state == JobState.PROCESSING:
        return [_processing(job)]
    return []


def _waiting(job: Job) -> str:
    now = timezone.now()
    if job.not_before > now:
        in_s = (job.not_before - now).total_seconds()
        return f"It will be tried again at {_time(job.not_before)}, in {cells.span(in_s)}."
    match selectors.waiting_before(job, at_most=LIST_MOST):
        case 0:
            return f"Next in the lane {job.lane}."
        case 1:
            return f"Waiting: one job is ahead of it in the lane {job.lane}."
        case ahead:
            count = AtLeast(ahead) if ahead == LIST_MOST else f"{ahead:,}"
            return f"Waiting: {count!s} jobs are ahead of it in the lane {job.lane}."


def _processing(job: Job) -> str:
    if job.lease_until and job.lease_until < timezone.now():
        return (
            f"Its worker {job.worker} went silent; its lease expired at {_time(job.lease_until)}. "
            "Another worker will take the job within half a minute."
        )
    until = f"; its lease lasts until {_time(job.lease_until)} and is renewed" if job.lease_until else ""
    return f"Worker {job.worker} is processing it ({STAGES[job.stage]}, {job.progress} %){until}."


def _no_worker() -> list[str]:
    seen = MaintenanceTask.objects.filter(name=LEASES.name).values_list("finished_at", flat=True).first()
    if seen and seen > timezone.now() - _RECENTLY:
        return []
    processing = Job.objects.filter(state=JobState.PROCESSING, lease_until__gt=timezone.now())
    if processing.exists():
        return []
    since = f"since {_time(seen)}" if seen else "yet"
    return [f"No worker has been seen {since}: no job is processed. Start one with manage.py worker or serve."]


def _time(moment: datetime) -> str:
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    return format_date(local, "H:i:s e" if today else "j F Y, H:i:s e")
