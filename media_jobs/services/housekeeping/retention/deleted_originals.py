"""Originals that were given up: their objects, and then what is left of them."""

from collections.abc import Callable, Iterator
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce, Now

from media_jobs.adapters.storage import Role, store
from media_jobs.models import Derivative, Job, Original
from media_jobs.selectors import batches
from media_jobs.services import object_deletion
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.states import DerivativeState, OriginalState


def find(_: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_deleted().only("id", "key")):
        yield [Finding(f"{row.key}: given up", row.pk) for row in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    return remove_deleted(task_run, [finding.subject for finding in findings])


def remove_deleted(task_run: TaskRun, ids: list[UUID]) -> int:
    """Delete the objects, and then the rows, of those originals whose state is deleted; leave all others alone."""
    rows = [Finding(row.key, row) for row in _deleted().filter(pk__in=ids).only("id", "key")]
    removed = task_run.for_each(rows, lambda row: store(Role.WORKER).delete(row.key))
    _deleted().filter(pk__in=[finding.subject.pk for finding in removed]).delete()
    return len(removed)


def give_up(image_id: UUID, *, is_due: Callable[[], bool]) -> bool:
    """Mark an original deleted, and its derivatives replaced; False where it is not due any more.

    The original and its jobs are locked, so that nobody gives it a new job or retries an old one meanwhile.
    """
    with transaction.atomic():
        Original.objects.select_for_update().filter(pk=image_id).values_list("pk").first()
        list(Job.objects.select_for_update().filter(original=image_id).order_by("pk").values_list("pk"))
        if not is_due():
            return False
        Original.objects.filter(pk=image_id).update(
            state=OriginalState.DELETED, deleted_at=Coalesce("deleted_at", Now())
        )
        current = Derivative.objects.filter(original=image_id, state=DerivativeState.CURRENT)
        current.update(state=DerivativeState.REPLACED, replaced_at=Now())
    return True


def remove_derivatives(task_run: TaskRun, image_id: UUID) -> bool:
    """Delete all of them. False where one stays for the next time: the storage refused it, or time is up."""
    rows = [Finding(row.key, row) for row in Derivative.objects.filter(original=image_id)]
    task_run.for_each(rows, object_deletion.delete_derivative)
    return not Derivative.objects.filter(original=image_id).exists()


def _deleted() -> QuerySet[Original]:
    return Original.objects.filter(~Exists(Job.objects.filter(original=OuterRef("pk"))), state=OriginalState.DELETED)
