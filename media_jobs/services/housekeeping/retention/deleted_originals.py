"""Originals that were given up: their objects, and then what is left of them."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from media_jobs.adapters.storage import Role, store
from media_jobs.models import Job, Original
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.states import OriginalState


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


def _deleted() -> QuerySet[Original]:
    return Original.objects.filter(~Exists(Job.objects.filter(original=OuterRef("pk"))), state=OriginalState.DELETED)
