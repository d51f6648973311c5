"""What tests of housekeeping share."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.models import MaintenanceTask
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import Outcome
from media_jobs.services.housekeeping.tasks import task_named


def ago(**age: float) -> Any:
    return timezone.now() - timedelta(**age)


def objects() -> list[str]:
    return sorted(store(Role.WORKER).keys())


def do(name: str, **how: Any) -> Outcome:
    return housekeeping.run(only=[task_named(name)], **how)[0]


def refuse(key: str) -> None:
    raise StorageUnavailable("deleting a file")


def let_pass(by: timedelta) -> None:
    """Make what housekeeping remembers so much older."""
    for task in MaintenanceTask.objects.all():
        moved = {f: getattr(task, f) and getattr(task, f) - by for f in ("lease_until", "finished_at")}
        MaintenanceTask.objects.filter(pk=task.pk).update(**moved)
