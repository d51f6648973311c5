"""Files that came straight to the storage: of uploads that nobody used, that became originals, or could not."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from media_jobs.adapters.storage import Role, store
from media_jobs.models import DirectUpload, Job, Original
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.part import Find, Sitting
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import JobState, OriginalState

#: How long a file that was accepted, and never checked to its end, is kept for a retry of its job.
KEEP_UNCHECKED = timedelta(days=7)


def find(sitting: Sitting) -> Iterator[list[Find]]:
    for page in batches(_over(sitting).only("id", "key", "owner", "created_at")):
        yield [Find(f"{row.key} of {row.owner}, begun {row.created_at:%Y-%m-%d %H:%M}", row.pk) for row in page]


def repair(sitting: Sitting, finds: list[Find]) -> int:
    """Closed first, objects next, row last. What was adopted may have been stored once more with the same form."""
    ids = [find.it for find in finds if _close(sitting, find.it)]
    rows = DirectUpload.objects.filter(pk__in=ids).select_related("original")
    gone = sitting.each([Find(row.key, row) for row in rows], _delete)
    DirectUpload.objects.filter(pk__in=[find.it.pk for find in gone]).delete()
    return len(gone)


def _close(sitting: Sitting, upload_id: UUID) -> bool:
    """Under locks on the original and its jobs, so that nobody accepts the upload, or retries its job, meanwhile."""
    with transaction.atomic():
        upload = DirectUpload.objects.select_for_update().filter(pk=upload_id)
        image_id = upload.values_list("original", flat=True).first()
        if image_id:
            Original.objects.select_for_update().filter(pk=image_id).values_list("pk").first()
            jobs = Job.objects.filter(original=image_id)
            list(jobs.select_for_update().order_by("pk").values_list("pk"))
        if not _over(sitting).filter(pk=upload_id).update(closed_at=Coalesce("closed_at", Now())):
            return False
        if image_id:
            unchecked = Original.objects.filter(pk=image_id, state=OriginalState.STAGED)
            unchecked.update(state=OriginalState.DELETED)
    return True


def _delete(upload: DirectUpload) -> None:
    """The file, and what a worker may have stored of it under the original's own key before it died."""
    store(Role.WORKER).delete(upload.key)
    if upload.original and upload.original.state == OriginalState.DELETED:
        store(Role.WORKER).delete(upload.original.key)


def _over(sitting: Sitting) -> QuerySet[DirectUpload]:
    """Nobody may want the file any more: it became no image in time, is an original by now, or was given up."""
    unchecked = Original.objects.filter(pk=OuterRef("original"), state=OriginalState.STAGED)
    under_way = Q(state__in=(JobState.QUEUED, JobState.PROCESSING))
    lately = Q(finished_at__gt=from_now(-KEEP_UNCHECKED.total_seconds()))
    hopes = Job.objects.filter(under_way | lately, original=OuterRef("original"))
    return DirectUpload.objects.filter(
        ~Exists(unchecked) | ~Exists(hopes), created_at__lte=from_now(-sitting.ages.staging_s)
    )
