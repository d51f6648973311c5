"""Queries of the pages. Each costs the same number of statements for three rows as for fifty."""

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery

from media_jobs.models import Derivative, Job, Original
from media_jobs.states import DerivativeState, JobState

#: A badge says "99+" from here on, so that counting stays cheap whatever has happened.
MANY = 100


def current_pictures(path: str) -> "Prefetch[str, QuerySet[Derivative], str]":
    """Loads what may be seen of each original into its attribute `pictures`, largest first."""
    rows = Derivative.objects.filter(state=DerivativeState.CURRENT).order_by("-width_px", "-height_px", "id")
    return Prefetch(path, queryset=rows, to_attr="pictures")


def with_latest_job(originals: QuerySet[Original]) -> QuerySet[Original]:
    """Adds state, code and detail of the newest job as `latest_state` and so on, None where there is no job."""
    newest = Job.objects.filter(original=OuterRef("pk")).order_by("-id")
    told = {f"latest_{field}": Subquery(newest.values(field)[:1]) for field in ("state", "code", "detail")}
    return originals.annotate(**told)


def whose_latest_job_is(originals: QuerySet[Original], state: str) -> QuerySet[Original]:
    """Starts at the jobs of that state, which are few among many when they failed or wait."""
    newer = Job.objects.filter(original=OuterRef("original"), id__gt=OuterRef("id"))
    return originals.filter(pk__in=Job.objects.filter(~Exists(newer), state=state).values("original"))


def failed_jobs_at_most_many() -> int:
    return Job.objects.filter(state=JobState.FAILED)[:MANY].count()
