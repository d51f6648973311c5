"""Unfinished writes, temporary folders and stored answers that nobody will ask for again."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import QuerySet

from media_jobs.adapters import workspace
from media_jobs.adapters.storage import Role, store
from media_jobs.models import IdempotencyKey
from media_jobs.selectors import batches
from media_jobs.services import idempotency
from media_jobs.services.housekeeping.task import Finding, TaskRun, batched
from media_jobs.services.jobs.transitions import from_now


def find_writes(task_run: TaskRun) -> Iterator[list[Finding]]:
    """Find multipart uploads and partial files. Raises StorageUnavailable."""
    for names in batched(store(Role.WORKER).unfinished(older_than_s=task_run.ages.leftover_s)):
        yield [Finding(f"{name}: begun and never ended", name) for name in names]


def abort_writes(task_run: TaskRun, _: list[Finding]) -> int:
    return store(Role.WORKER).sweep(older_than_s=task_run.ages.leftover_s)


def find_folders(_: TaskRun) -> Iterator[list[Finding]]:
    if findings := [Finding(f"{path}: its worker is gone", path) for path in workspace.abandoned(settings.WORK_DIR)]:
        yield findings


def remove_folders(_run: TaskRun, _: list[Finding]) -> int:
    return workspace.sweep(settings.WORK_DIR)


def find_answers(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_old_answers().only("id", "owner", "created_at"), size=1000):
        yield [Finding(f"Idempotency-Key of {row.owner}, {row.created_at:%Y-%m-%d %H:%M}", row.pk) for row in page]


def remove_answers(_: TaskRun, findings: list[Finding]) -> int:
    return _old_answers().filter(pk__in=[finding.subject for finding in findings]).delete()[0]


def _old_answers() -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(created_at__lt=from_now(-idempotency.KEPT.total_seconds()))
