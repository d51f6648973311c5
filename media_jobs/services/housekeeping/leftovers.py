"""Unfinished writes, temporary files and answers that nobody will ask for again."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import QuerySet

from media_jobs.adapters import workspace
from media_jobs.adapters.storage import Role, store
from media_jobs.models import IdempotencyKey
from media_jobs.selectors import batches
from media_jobs.services import idempotency
from media_jobs.services.housekeeping.part import Find, Sitting, batched
from media_jobs.services.jobs.transitions import from_now


def find_writes(sitting: Sitting) -> Iterator[list[Find]]:
    """Multipart uploads and partial files. Raises StorageUnavailable."""
    for names in batched(store(Role.WORKER).unfinished(older_than_s=sitting.ages.leftover_s)):
        yield [Find(f"{name}: begun and never ended", name) for name in names]


def end_writes(sitting: Sitting, _: list[Find]) -> int:
    return store(Role.WORKER).sweep(older_than_s=sitting.ages.leftover_s)


def find_folders(_: Sitting) -> Iterator[list[Find]]:
    if finds := [Find(f"{path}: its worker is gone", path) for path in workspace.abandoned(settings.WORK_DIR)]:
        yield finds


def remove_folders(_sitting: Sitting, _: list[Find]) -> int:
    return workspace.sweep(settings.WORK_DIR)


def find_answers(_: Sitting) -> Iterator[list[Find]]:
    for page in batches(_old_answers().only("id", "owner", "created_at"), size=1000):
        yield [Find(f"Idempotency-Key of {row.owner}, {row.created_at:%Y-%m-%d %H:%M}", row.pk) for row in page]


def remove_answers(_: Sitting, finds: list[Find]) -> int:
    return _old_answers().filter(pk__in=[find.it for find in finds]).delete()[0]


def _old_answers() -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(created_at__lt=from_now(-idempotency.KEPT.total_seconds()))
