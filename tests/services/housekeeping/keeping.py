"""What tests of housekeeping share."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import Outcome
from media_jobs.services.housekeeping.parts import named


def ago(**age: float) -> Any:
    return timezone.now() - timedelta(**age)


def objects() -> list[str]:
    return sorted(store(Role.WORKER).keys())


def do(name: str, **how: Any) -> Outcome:
    return housekeeping.run(only=[named(name)], **how)[0]


def refuse(key: str) -> None:
    raise StorageUnavailable("deleting a file")
