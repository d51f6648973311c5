"""What became of each image of a run: written with the end of its job, and counted afterwards."""

from collections import Counter
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F
from django.db.models.functions import Now

from media_jobs.models import ReprocessRun, RunItem
from media_jobs.states import JobState, RunItemState

#: What an image is when its job has ended so.
_ENDS = {
    JobState.DONE: RunItemState.DONE,
    JobState.FAILED: RunItemState.FAILED,
    JobState.CANCELLED: RunItemState.SKIPPED,
}
#: The code of an image whose job somebody cancelled.
CANCELLED = "cancelled"
#: So many are counted in one transaction.
_TALLY = 2_000
#: The latest images, of which failures are a share: at most twice as many.
WINDOW = 100


def note_done(job_id: UUID, before: dict[str, Any] | None) -> None:
    """Write that the image of this job is done. Called in the transaction that makes its derivatives current.

    before: what a roll back needs beside the derivatives' rows.
    """
    item = RunItem.objects.select_for_update().filter(job=job_id).first()
    if item is None:
        return
    if item.tallied:  # somebody had the job, which was given up and counted, tried once more
        counted = {RunItemState.FAILED: "failed", RunItemState.SKIPPED: "skipped"}[RunItemState(item.state)]
        ReprocessRun.objects.filter(pk=item.run_id).update(**{counted: F(counted) - 1})
    RunItem.objects.filter(pk=item.pk).update(
        state=RunItemState.DONE, code="", before=before, tallied=False, ended_at=Now()
    )


def note_ends(jobs: Collection[UUID], state: JobState, code: str) -> None:
    """Write that these jobs failed or were cancelled, as far as runs wait for them; in the same transaction."""
    waiting = RunItem.objects.filter(job__in=jobs, state=RunItemState.WORKING)
    waiting.update(state=_ENDS[state], code=code or CANCELLED, ended_at=Now())


def skip(items: Collection[int], code: str) -> int:
    """Write that nothing is done with these images, and why. Return how many still waited."""
    todo = RunItem.objects.filter(pk__in=items, state=RunItemState.TODO)
    return todo.update(state=RunItemState.SKIPPED, code=code, ended_at=Now())


def tally(run: ReprocessRun) -> bool:
    """Add what ended since the last tally to the numbers of the run. Return whether that was all there is.

    Two of these may run at once: each line is counted once.
    """
    over = [RunItemState.DONE, RunItemState.FAILED, RunItemState.SKIPPED]
    with transaction.atomic():
        # Its row first. `note_done` takes the two locks in the other order, for lines that were counted before.
        row = ReprocessRun.objects.select_for_update(no_key=True).filter(pk=run.pk)
        recent = row.values_list("recent_done", "recent_failed").first() or (0, 0)
        new = RunItem.objects.select_for_update(skip_locked=True).filter(run=run.pk, tallied=False, state__in=over)
        ids = list(new.values_list("pk", flat=True)[:_TALLY])
        if not ids:
            return True
        ended = RunItem.objects.filter(pk__in=ids).order_by()
        counts = Counter(dict(ended.values_list("state").annotate(count=Count("pk"))))
        ended.update(tallied=True)
        done, failed, skipped = (counts[state] for state in over)
        # Halved once there are many, so that what is long ago counts for little.
        recent_done, recent_failed = (number // 2 for number in recent) if sum(recent) > 2 * WINDOW else recent
        ReprocessRun.objects.filter(pk=run.pk).update(
            done=F("done") + done,
            failed=F("failed") + failed,
            skipped=F("skipped") + skipped,
            recent_done=recent_done + done,
            recent_failed=recent_failed + failed,
        )
    return len(ids) < _TALLY
