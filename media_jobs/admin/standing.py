"""What a job waits for, in a sentence."""

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
    "waiting": "about to begin",
    "fetching": "fetching the original",
    "rendering": "rendering",
    "storing": "storing the pictures",
    "finished": "about to end",
}
#: Any worker that runs looks for expired leases more often than that.
_LATELY = timedelta(minutes=2)


def lane(job: Job) -> str:
    return f"{job.lane}: {LANES[job.lane]}"


def sentences(job: Job) -> list[str]:
    """Why it is not done yet; nothing about a job that has ended."""
    if job.state == JobState.QUEUED:
        return [_waits(job), *_nobody_works()]
    if job.state == JobState.PROCESSING:
        return [_is_in_work(job)]
    return []


def _waits(job: Job) -> str:
    now = timezone.now()
    if job.not_before > now:
        in_s = (job.not_before - now).total_seconds()
        return f"It will be tried again at {_time(job.not_before)}, in {cells.span(in_s)}."
    match selectors.waiting_before(job, at_most=LIST_MOST):
        case 0:
            return f"Its turn is next in the lane {job.lane}."
        case 1:
            return f"It waits for its turn: one job is before it in the lane {job.lane}."
        case before:
            count = AtLeast(before) if before == LIST_MOST else f"{before:,}"
            return f"It waits for its turn: {count!s} jobs are before it in the lane {job.lane}."


def _is_in_work(job: Job) -> str:
    if job.lease_until and job.lease_until < timezone.now():
        return (
            f"Its worker {job.worker} has not been heard of since {_time(job.lease_until)}, when its lease ran out. "
            "Another worker will take the job within half a minute."
        )
    until = f", with a lease until {_time(job.lease_until)} that it keeps renewing" if job.lease_until else ""
    return f"Worker {job.worker} is at it ({STAGES[job.stage]}, {job.progress} %){until}."


def _nobody_works() -> list[str]:
    seen = MaintenanceTask.objects.filter(name=LEASES.name).values_list("finished_at", flat=True).first()
    if seen and seen > timezone.now() - _LATELY:
        return []
    at_work = Job.objects.filter(state=JobState.PROCESSING, lease_until__gt=timezone.now())
    if at_work.exists():
        return []
    since = f"since {_time(seen)}" if seen else "yet"
    return [f"No worker has been seen {since}: nothing is being done. Start one with manage.py worker or serve."]


def _time(moment: datetime) -> str:
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    return format_date(local, "H:i:s e" if today else "j F Y, H:i:s e")
