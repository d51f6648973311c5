"""Comparing what was compared, or could not be, once more.

What has no file yet is fetched again; that is for the service's workers, be it a command that asks.
"""

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from media_jobs.models import Shadow
from media_jobs.services.cutover.holding import Choice
from media_jobs.services.jobs import dispatch
from media_jobs.states import Lane, ShadowState

#: Of what came to no end within SHADOW_DAYS.
EXPIRED = "expired"
_OVER = (ShadowState.COMPARED, ShadowState.FAILED)


#: Whose pictures are still there, and whose file never came.
_HAS_PICTURES = Q(state__in=_OVER, original__isnull=False, original__deleted_at=None, job__isnull=False)
_NEVER_FETCHED = Q(state=ShadowState.FAILED, original=None) & ~Q(code=EXPIRED)


def over(choice: Choice) -> QuerySet[Shadow]:
    """Those that were compared, or could not be, and can be once more."""
    return choice.among(Shadow.objects.filter(_HAS_PICTURES | _NEVER_FETCHED))


def compare_again(choice: Choice) -> int:
    """Have them compared again, or fetched where they never were; how many. What people have said of them stays."""
    chosen, fresh = choice.among(Shadow.objects.all()), {"due_at": Now(), "attempts": 0, "worker": ""}
    to_fetch = chosen.filter(_NEVER_FETCHED).update(**fresh, state=ShadowState.FETCHING, code="", detail="")
    ids = chosen.filter(_HAS_PICTURES).values("pk")
    to_compare = Shadow.objects.filter(pk__in=ids).update(**fresh, state=ShadowState.DUE)
    if to_fetch:
        dispatch.notify(Lane.BULK)
    return to_fetch + to_compare
