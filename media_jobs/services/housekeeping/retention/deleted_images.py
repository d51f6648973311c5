"""Images that people deleted: their derivatives at once, and the rest once nobody may restore it any more."""

from collections.abc import Iterator
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from media_jobs.adapters import database
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Derivative, Job, Original
from media_jobs.selectors import batches
from media_jobs.services import object_deletion
from media_jobs.services.housekeeping.retention import deleted_originals
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import DerivativeState, OriginalState

log = structlog.get_logger(__name__)


def remove_derivatives() -> None:
    """Remove all derivatives of deleted images, outside of any run of a task; what cannot be removed is left to it."""
    try:
        for page in batches(_derivatives()):
            for derivative in page:
                object_deletion.delete_derivative(derivative)
    except (StorageUnavailable, *database.CONNECTION_ERRORS) as error:
        log.warning("deleted_image_left", error=type(error).__name__)


def find_derivatives(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_derivatives().only("id", "key", "original_id")):
        yield [Finding(f"{row.key}: its image was deleted", row) for row in page]


def delete_derivatives(task_run: TaskRun, findings: list[Finding]) -> int:
    return len(task_run.for_each(findings, object_deletion.delete_derivative))


def find_expired(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_expired().only("id", "filename", "owner", "deleted_at")):
        yield [Finding(f"{row} of {row.owner} ({row.pk}), deleted {row.deleted_at:%Y-%m-%d}", row.pk) for row in page]


def give_up(task_run: TaskRun, findings: list[Finding]) -> int:
    """Give up row and jobs in one step; then remove its object and the rest as those of aborted uploads."""
    return deleted_originals.remove_deleted(
        task_run, [finding.subject for finding in findings if _give_up(finding.subject)]
    )


def _give_up(image_id: UUID) -> bool:
    """Lock the original, so that nobody restores it meanwhile."""
    with transaction.atomic():
        Original.objects.select_for_update().filter(pk=image_id).values_list("pk").first()
        jobs = Job.objects.filter(original=image_id)
        list(jobs.select_for_update().order_by("pk").values_list("pk"))
        if not _expired().filter(pk=image_id).update(state=OriginalState.DELETED):
            return False
        jobs.delete()
    return True


def _derivatives() -> QuerySet[Derivative]:
    """Those that a worker is just making are its own: it loses its job, and discards them."""
    deleted = Original.objects.filter(deleted_at__isnull=False)
    return Derivative.objects.filter(original__in=deleted, state=DerivativeState.REPLACED)


def _expired() -> QuerySet[Original]:
    return Original.objects.filter(
        ~Exists(Derivative.objects.filter(original=OuterRef("pk"))),
        deleted_at__lte=from_now(-settings.RESTORE_DAYS * 86_400),
    )
