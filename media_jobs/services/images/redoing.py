"""Making web versions of one image anew."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from media_jobs import selectors
from media_jobs.callers import Caller
from media_jobs.errors import WrongState
from media_jobs.models import Job, Original, Preset
from media_jobs.services.uploads import intake
from media_jobs.states import JobState, OriginalState

#: Of an image that has no job yet.
_USUAL = "gallformers"


def redo(image_id: UUID, *, actor: Caller, preset: str = "") -> list[Job]:
    """Queue a job by the current version of `preset`, or of each preset that the image has; they are returned.

    What waits for a worker already is not queued twice: it reads the image when it begins. Raises WrongState,
    UnknownPreset, Original.DoesNotExist.
    """
    with transaction.atomic():
        image = lock(image_id)
        chosen = [selectors.current_preset(preset)] if preset else presets_of(image)
        return [_waiting(image, one) or intake.enqueue_job(image, preset=one, caller=actor).job for one in chosen]


def lock(image_id: UUID) -> Original:
    """Return the image, which nobody else changes until the end of the transaction. Raises WrongState if it is gone."""
    image = Original.objects.select_for_update(no_key=True).get(pk=image_id)
    if image.deleted_at or image.state == OriginalState.DELETED:
        raise WrongState("This picture has been deleted.")
    return image


def presets_of(image: Original) -> list[Preset]:
    """Return the current versions of the presets that its jobs had, that of the newest last; of none, the usual one."""
    jobs: QuerySet[Job] = image.jobs.select_related("preset").order_by("id")
    newest = {job.preset.name: job.pk for job in jobs}
    return [selectors.current_preset(name) for name in sorted(newest, key=lambda name: newest[name]) or [_USUAL]]


def _waiting(image: Original, preset: Preset) -> Job | None:
    """A job that waits to make all that is wanted."""
    waiting = Job.objects.filter(original=image, preset=preset, state=JobState.QUEUED, run=None)
    names = {rendition.name for rendition in preset.renditions.all()}
    return next((job for job in waiting if set(job.wanted) == names), None)
