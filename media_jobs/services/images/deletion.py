"""Deleting an image, and bringing it back.

Its derivatives are gone at once. The original stays for RESTORE_DAYS, and until then the image can be restored: its
derivatives are made anew. After that housekeeping removes what is left.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import selectors
from media_jobs.callers import Caller
from media_jobs.errors import NotRestorable
from media_jobs.models import Derivative, Job, Original
from media_jobs.services import changes
from media_jobs.services.images import redoing
from media_jobs.services.jobs import dispatch
from media_jobs.services.jobs.lifecycle import CANCELLABLE, cancelled
from media_jobs.services.jobs.transitions import move_all
from media_jobs.services.uploads import intake
from media_jobs.services.uploads.intake import Accepted
from media_jobs.states import DerivativeState, OriginalState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deleted:
    """An image that was deleted. restorable_until: it can come back as long as that is not over."""

    image_id: UUID
    deleted_at: datetime
    restorable_until: datetime


def delete(image_id: UUID, *, actor: Caller) -> Deleted:
    """Delete the image. Again it changes nothing, and says the same. Raises Original.DoesNotExist.

    Its jobs that are not over are cancelled. Its derivatives are in no answer any more, and their objects go within
    seconds; workers hear of it after the commit.
    """
    with transaction.atomic():
        Original.objects.select_for_update(no_key=True).get(pk=image_id)  # before its jobs, as everybody does
        image = Original.objects.filter(pk=image_id).exclude(state=OriginalState.DELETED)
        if image.filter(deleted_at=None).update(deleted_at=Now()):
            _cancel_jobs(image_id, actor)
            current = Derivative.objects.filter(original=image_id, state=DerivativeState.CURRENT)
            current.update(state=DerivativeState.REPLACED, replaced_at=Now())
            changes.record(image.get(), "deleted", actor=actor)
            transaction.on_commit(dispatch.notify_of_deletion, robust=True)
            log.info("image_deleted", image=str(image_id), actor=actor.id)
        return describe(image.get())


def describe(image: Original) -> Deleted:
    """Say until when an image that was deleted can be restored."""
    assert image.deleted_at is not None  # noqa: S101  (it was deleted)
    return Deleted(image.pk, image.deleted_at, image.deleted_at + timedelta(days=settings.RESTORE_DAYS))


def restore(image_id: UUID, *, actor: Caller) -> Accepted:
    """Bring back a deleted image, and queue a job for each preset that it had; the newest of them is returned.

    Raises NotRestorable when it was not deleted, or more than RESTORE_DAYS ago.
    """
    with transaction.atomic():
        back = selectors.restorable().filter(pk=image_id)
        if not back.update(deleted_at=None):
            raise NotRestorable
        image = Original.objects.get(pk=image_id)
        changes.record(image, "restored", actor=actor)
        accepted = [intake.enqueue_job(image, preset=preset, caller=actor) for preset in redoing.presets_of(image)]
    log.info("image_restored", image=str(image_id), actor=actor.id)
    return accepted[-1]


def _cancel_jobs(image_id: UUID, actor: Caller) -> None:
    open_jobs = Job.objects.filter(original=image_id, state__in=CANCELLABLE).values_list("pk", flat=True)
    move_all(list(open_jobs), Q(state__in=CANCELLABLE), "cancelled", actor=actor, **cancelled())
