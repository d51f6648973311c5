"""Originals that never became active, and those that are deleted but for their objects."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from media_jobs.adapters.storage import Role, store
from media_jobs.models import Job, Original
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import OriginalState


def find(task_run: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_unfinished(task_run).only("id", "owner", "created_at")):
        yield [
            Finding(f"upload {row.pk} of {row.owner}, begun {row.created_at:%Y-%m-%d %H:%M}", row.pk) for row in page
        ]
    for page in batches(_deleted().only("id", "key")):
        yield [Finding(f"{row.key}: given up", row.pk) for row in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    """Change the state first, then delete the object, then the row: an upload that resumes meanwhile is refused."""
    ids = [finding.subject for finding in findings]
    _unfinished(task_run).filter(pk__in=ids).update(state=OriginalState.DELETED)
    return remove_deleted(task_run, ids)


def remove_deleted(task_run: TaskRun, ids: list[UUID]) -> int:
    """Delete the objects, and then the rows, of those originals whose state is deleted; leave all others alone."""
    rows = [Finding(row.key, row) for row in _deleted().filter(pk__in=ids).only("id", "key")]
    removed = task_run.for_each(rows, lambda row: store(Role.WORKER).delete(row.key))
    _deleted().filter(pk__in=[finding.subject.pk for finding in removed]).delete()
    return len(removed)


def _unfinished(task_run: TaskRun) -> QuerySet[Original]:
    return Original.objects.filter(state=OriginalState.PENDING, created_at__lte=from_now(-task_run.ages.leftover_s))


def _deleted() -> QuerySet[Original]:
    return Original.objects.filter(~Exists(Job.objects.filter(original=OuterRef("pk"))), state=OriginalState.DELETED)
