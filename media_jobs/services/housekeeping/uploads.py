"""Originals that never became active, and those that are to go."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from media_jobs.adapters.storage import Role, store
from media_jobs.models import Job, Original
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.part import Find, Sitting
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import OriginalState


def find(sitting: Sitting) -> Iterator[list[Find]]:
    for page in batches(_unfinished(sitting).only("id", "owner", "created_at")):
        yield [Find(f"upload {row.pk} of {row.owner}, begun {row.created_at:%Y-%m-%d %H:%M}", row.pk) for row in page]
    for page in batches(_to_go().only("id", "key")):
        yield [Find(f"{row.key}: given up", row.pk) for row in page]


def repair(sitting: Sitting, finds: list[Find]) -> int:
    """State first, object next, row last: an upload that comes back meanwhile finds itself refused."""
    ids = [find.it for find in finds]
    _unfinished(sitting).filter(pk__in=ids).update(state=OriginalState.DELETED)
    return remove(sitting, ids)


def remove(sitting: Sitting, ids: list[UUID]) -> int:
    """Delete the objects of those that are to go, and then their rows. Never of others."""
    rows = [Find(row.key, row) for row in _to_go().filter(pk__in=ids).only("id", "key")]
    gone = sitting.each(rows, lambda row: store(Role.WORKER).delete(row.key))
    _to_go().filter(pk__in=[find.it.pk for find in gone]).delete()
    return len(gone)


def _unfinished(sitting: Sitting) -> QuerySet[Original]:
    return Original.objects.filter(state=OriginalState.PENDING, created_at__lte=from_now(-sitting.ages.leftover_s))


def _to_go() -> QuerySet[Original]:
    return Original.objects.filter(~Exists(Job.objects.filter(original=OuterRef("pk"))), state=OriginalState.DELETED)
