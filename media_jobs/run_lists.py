"""Pages of runs and of their ledgers."""

from uuid import UUID

from django.db.models import QuerySet

from media_jobs.models import ReprocessRun, RunItem


def run(run_id: UUID, *, owner: str) -> ReprocessRun | None:
    """Return the run, where it exists and is of this owner; empty: of anybody."""
    return _of(owner).filter(pk=run_id).first()


def page(owner: str, *, before: UUID | None = None, limit: int) -> tuple[list[ReprocessRun], UUID | None]:
    """Return at most `limit` runs, newest first, those older than `before`; and that of the next page, if any."""
    rows = _of(owner).order_by("-id")
    found = list((rows.filter(pk__lt=before) if before else rows)[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def items(
    of: ReprocessRun, *, state: str = "", after: UUID | None = None, limit: int
) -> tuple[list[RunItem], UUID | None]:
    """Return at most `limit` lines of the ledger in the order of their images, those behind the image `after`; and that
    of the next page, if any."""
    rows = RunItem.objects.filter(run=of).order_by("original")
    if state:
        rows = rows.filter(state=state)
    found = list((rows.filter(original__gt=after) if after else rows)[: limit + 1])
    return found[:limit], found[limit - 1].original_id if len(found) > limit else None


def _of(owner: str) -> QuerySet[ReprocessRun]:
    runs = ReprocessRun.objects.select_related("preset")
    return runs.filter(owner=owner) if owner else runs
