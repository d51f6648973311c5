"""Comparing what was compared, or could not be, once more."""

from django.db.models import QuerySet
from django.db.models.functions import Now

from media_jobs.models import Shadow
from media_jobs.services.cutover.holding import Choice
from media_jobs.states import ShadowState

_OVER = (ShadowState.COMPARED, ShadowState.FAILED)


def over(choice: Choice) -> QuerySet[Shadow]:
    """Those that were compared, or could not be, and whose pictures are still there."""
    there = Shadow.objects.filter(state__in=_OVER, original__isnull=False, original__deleted_at=None, job__isnull=False)
    return choice.among(there)


def compare_again(choice: Choice) -> int:
    """Have them compared again; how many. What people have said of them stays."""
    ids = over(choice).values("pk")
    return Shadow.objects.filter(pk__in=ids).update(state=ShadowState.DUE, due_at=Now(), attempts=0, worker="")
