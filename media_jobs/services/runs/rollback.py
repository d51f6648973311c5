"""Takes a run back, image by image: what it replaced becomes current again."""

import time

from django.db import transaction
from django.db.models.functions import Now

from media_jobs.models import Derivative, Original, ReprocessRun, RunItem
from media_jobs.services import object_deletion
from media_jobs.states import DerivativeState, RunItemState

_PAGE = 50


def roll_back_some(run: ReprocessRun, *, for_s: float) -> bool:
    """Take back images for a while; return whether none is left. May die anywhere: each image is one transaction."""
    until = time.monotonic() + for_s
    done = RunItem.objects.filter(run=run, state=RunItemState.DONE).order_by("original")
    while page := list(done[:_PAGE]):
        for item in page:
            _roll_back(item)
            if time.monotonic() > until:
                return False
    return True


def _roll_back(item: RunItem) -> None:
    with transaction.atomic():
        object_deletion.lock_original(item.original_id)
        if RunItem.objects.filter(pk=item.pk, state=RunItemState.DONE).update(state=RunItemState.ROLLED_BACK):
            made = Derivative.objects.filter(job=item.job_id, state=DerivativeState.CURRENT)
            made.update(state=DerivativeState.REPLACED, replaced_at=Now())
            before = Derivative.objects.filter(replaced_by=item.job_id, state=DerivativeState.REPLACED)
            before.update(state=DerivativeState.CURRENT, replaced_at=None, replaced_by=None)
            Original.objects.filter(pk=item.original_id).update(**(item.before or {}).get("facts", {}))
