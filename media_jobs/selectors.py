"""Read queries."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Now

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import Caller
from media_jobs.errors import UnknownPreset
from media_jobs.models import Derivative, Job, Original, Preset
from media_jobs.states import DerivativeState, JobState, Lane, OriginalState


def current_preset(name: str) -> Preset:
    """The version that new jobs get. Raises UnknownPreset, which names the known ones."""
    try:
        return Preset.objects.prefetch_related("renditions").get(name=name, current=True)
    except Preset.DoesNotExist:
        known = Preset.objects.filter(current=True).order_by("name").values_list("name", flat=True)
        raise UnknownPreset(name, list(known)) from None


def job(job_id: UUID, caller: Caller) -> Job | None:
    """The job, where it exists and `caller` may see it."""
    found = Job.objects.select_related("original", "preset").filter(pk=job_id).first()
    return found if found and caller.may_read(found.owner) else None


def image(image_id: UUID, caller: Caller) -> Original | None:
    """The stored original with its jobs, newest first, where `caller` may see it."""
    jobs = Job.objects.select_related("preset").order_by("-id")
    found = (
        Original.objects.filter(pk=image_id, state=OriginalState.ACTIVE)
        .prefetch_related(Prefetch("jobs", queryset=jobs))
        .first()
    )
    return found if found and caller.may_read(found.owner) else None


def receipt(image: Original) -> dict[str, Any] | None:
    """The privacy receipt of the newest finished job of an image whose jobs are loaded newest first."""
    done = (job.receipt for job in image.jobs.all() if job.state == JobState.DONE)
    return next(filter(None, done), None)


def derivatives(image: Original) -> list[Derivative]:
    """All current derivatives of an image, the largest first."""
    current = image.derivatives.filter(state=DerivativeState.CURRENT)
    return list(current.order_by("preset_name", "-width_px", "rendition"))


def derivatives_of(job: Job) -> list[Derivative]:
    """What the job was asked for, as it is now; nothing before the job is done."""
    if job.state != JobState.DONE:
        return []
    made = Derivative.objects.filter(
        original_id=job.original_id,
        preset_name=job.preset.name,
        rendition__in=job.wanted,
        state=DerivativeState.CURRENT,
    )
    return sorted(made, key=lambda d: job.wanted.index(d.rendition))


def derivative_url(derivative: Derivative) -> str:
    """The stable public URL."""
    return store(Role.WEB).url(derivative.key)


def claimable(lane: Lane, *, besides: list[UUID], at_most: int) -> QuerySet[Job]:
    """The waiting jobs of a lane whose time has come, by turn, without those in `besides`."""
    waiting = Job.objects.filter(state=JobState.QUEUED, lane=lane, not_before__lte=Now())
    return waiting.exclude(pk__in=besides).order_by("turn", "id").only("id", "attempt", "turn")[:at_most]


def backlog_reaches(limit: int) -> bool:
    """Whether `limit` jobs or more are waiting; stops counting there."""
    return Job.objects.filter(state=JobState.QUEUED).order_by().values("pk")[limit - 1 : limit].exists()
