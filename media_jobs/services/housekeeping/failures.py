"""Originals of which no picture could be made, where their presets say how long to keep them."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from media_jobs.models import Derivative, Job, Original, Preset
from media_jobs.selectors import batches
from media_jobs.services.housekeeping import uploads
from media_jobs.services.housekeeping.part import Find, Sitting
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import JobState, OriginalState


def find(_: Sitting) -> Iterator[list[Find]]:
    for page in batches(_given_up().only("id", "filename", "owner")):
        yield [Find(f"{row} of {row.owner} ({row.pk}): failed, and its time is over", row.pk) for row in page]


def repair(sitting: Sitting, finds: list[Find]) -> int:
    """Row and jobs are given up in one step; its object, and then what is left of it, go as those of uploads do."""
    return uploads.remove(sitting, [find.it for find in finds if _give_up(find.it)])


def _give_up(original_id: UUID) -> bool:
    """Under locks on the original and its jobs, so that nobody gives it a new job, or an old one a retry, meanwhile."""
    with transaction.atomic():
        Original.objects.select_for_update().filter(pk=original_id).values_list("pk").first()
        jobs = Job.objects.filter(original=original_id)
        list(jobs.select_for_update().order_by("pk").values_list("pk"))
        if not _given_up().filter(pk=original_id).update(state=OriginalState.DELETED):
            return False
        jobs.delete()
    return True


def _given_up() -> QuerySet[Original]:
    """Every one of its jobs must be beyond its preset's time, and nothing be left that any of them made."""
    over = _time_is_over()
    jobs = Job.objects.filter(original=OuterRef("pk"))
    return Original.objects.filter(
        Exists(jobs.filter(over, state=JobState.FAILED)),
        ~Exists(jobs.exclude(pk__in=Job.objects.filter(over, original=OuterRef("original")).values("pk"))),
        ~Exists(Derivative.objects.filter(original=OuterRef("pk"))),
        state__in=(OriginalState.ACTIVE, OriginalState.STAGED, OriginalState.DELETED),
    )


def _time_is_over() -> Q:
    """Of failed and cancelled jobs whose preset's current version sets a time; of no job where none does."""
    over = Q(pk__in=[])
    for name, days in Preset.objects.filter(current=True, failed_days__isnull=False).values_list("name", "failed_days"):
        before = from_now(-timedelta(days=days or 0).total_seconds())
        over |= Q(preset__name=name, finished_at__lt=before, state__in=(JobState.FAILED, JobState.CANCELLED))
    return over
