"""Files that were uploaded straight to the storage: nobody used them, they became originals, or could not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from media_jobs.adapters.storage import Role, store
from media_jobs.models import DirectUpload, Job, Original
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Ages, Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import JobState, OriginalState

#: How long a file that was accepted, and never checked to its end, is kept for a retry of its job.
KEEP_UNCHECKED = timedelta(days=7)


def due_at(upload: DirectUpload) -> datetime:
    """Return when an upload that nobody used is removed."""
    return upload.created_at + timedelta(seconds=Ages().staging_s)


def unused_and_due() -> Q:
    """Match uploads that nobody used, and whose time is over."""
    return Q(closed_at=None, created_at__lte=from_now(-Ages().staging_s))


def find(task_run: TaskRun) -> Iterator[list[Finding]]:
    for page in batches(_expired(task_run).only("id", "key", "owner", "created_at")):
        yield [Finding(f"{row.key} of {row.owner}, begun {row.created_at:%Y-%m-%d %H:%M}", row.pk) for row in page]


def repair(task_run: TaskRun, findings: list[Finding]) -> int:
    """Close the upload first, then delete its objects, then its row.

    The file of an image that is active may have been stored once more with the same form.
    """
    ids = [finding.subject for finding in findings if _close(task_run, finding.subject)]
    rows = DirectUpload.objects.filter(pk__in=ids).select_related("original")
    removed = task_run.for_each([Finding(row.key, row) for row in rows], _delete)
    DirectUpload.objects.filter(pk__in=[finding.subject.pk for finding in removed]).delete()
    return len(removed)


def _close(task_run: TaskRun, upload_id: UUID) -> bool:
    """Lock the original and its jobs, so that nobody accepts the upload or retries its job meanwhile."""
    with transaction.atomic():
        upload = DirectUpload.objects.select_for_update().filter(pk=upload_id)
        image_id = upload.values_list("original", flat=True).first()
        if image_id:
            Original.objects.select_for_update().filter(pk=image_id).values_list("pk").first()
            jobs = Job.objects.filter(original=image_id)
            list(jobs.select_for_update().order_by("pk").values_list("pk"))
        if not _expired(task_run).filter(pk=upload_id).update(closed_at=Coalesce("closed_at", Now())):
            return False
        if image_id:
            unchecked = Original.objects.filter(pk=image_id, state=OriginalState.STAGED)
            unchecked.update(state=OriginalState.DELETED)
    return True


def _delete(upload: DirectUpload) -> None:
    """Delete the file, and what a worker may have stored of it under the original's own key before it died."""
    store(Role.WORKER).delete(upload.key)
    if upload.original and upload.original.state == OriginalState.DELETED:
        store(Role.WORKER).delete(upload.original.key)


def _expired(task_run: TaskRun) -> QuerySet[DirectUpload]:
    """Uploads whose file nobody needs: it became no image in time, is an original by now, or was given up."""
    unchecked = Original.objects.filter(pk=OuterRef("original"), state=OriginalState.STAGED)
    under_way = Q(state__in=(JobState.QUEUED, JobState.PROCESSING))
    lately = Q(finished_at__gt=from_now(-KEEP_UNCHECKED.total_seconds()))
    unfinished_jobs = Job.objects.filter(under_way | lately, original=OuterRef("original"))
    return DirectUpload.objects.filter(
        ~Exists(unchecked) | ~Exists(unfinished_jobs), created_at__lte=from_now(-task_run.ages.staging_s)
    )
