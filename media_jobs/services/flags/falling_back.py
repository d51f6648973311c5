"""A flag that is on while there are too many errors goes to 0 % by itself, and stays there until a person raises it."""

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from media_jobs.callers import GUARD
from media_jobs.models import FeatureFlag
from media_jobs.services.flags import history, shares
from media_jobs.services.flags.guard import Opinion
from media_jobs.services.webhooks import service_events
from media_jobs.states import WebhookEvent

log = structlog.get_logger(__name__)


def watched() -> QuerySet[FeatureFlag]:
    """Return the flags for which an opinion matters: guarded, and on for somebody."""
    return FeatureFlag.objects.filter(guarded=True, enabled=True, basis_points__gt=0)


def fall_back(flag: FeatureFlag, opinion: Opinion) -> bool:
    """Set the flag to 0 %, and tell of it. False: it was changed meanwhile; the next look decides anew.

    It stays enabled: the keys that are allowed by name keep it, so that somebody can see whether it is mended.
    """
    before = shares.percent(flag.basis_points)
    with transaction.atomic():
        new = {"basis_points": 0}
        if not history.write(flag, new, actor=GUARD, reason=opinion.why, fell_back_at=Now(), forced_at=None):
            return False
        service_events.create_deliveries(
            WebhookEvent.FLAG_FELL_BACK,
            f"flag-{flag.name}-{flag.version}",
            {
                "flag": flag.name,
                "fromPercent": before,
                "percent": 0,
                "reason": opinion.why,
                "errors": opinion.board.errors,
                "judged": opinion.board.judged,
            },
        )
    log.warning("flag_fell_back", flag=flag.name, from_percent=before, why=opinion.why)
    return True


def arm(flag: FeatureFlag) -> bool:
    """Let the guard look after a flag again that was forced past it, now that there are few errors."""
    return bool(FeatureFlag.objects.filter(pk=flag.pk, version=flag.version).update(forced_at=None))
