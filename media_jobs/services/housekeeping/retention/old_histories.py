"""Histories of jobs that ended long ago. A retry continues the numbers of the removed one."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from media_jobs.models import Job, JobEvent
from media_jobs.selectors import batches
from media_jobs.services.housekeeping.task import Finding, TaskRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import JobState

_ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def find(_: TaskRun) -> Iterator[list[Finding]]:
    """Find jobs whose events are old enough; none while EVENT_RETENTION_DAYS is 0."""
    if not settings.EVENT_RETENTION_DAYS:
        return
    jobs = _ended_long_ago().filter(Exists(JobEvent.objects.filter(job=OuterRef("pk"))))
    for page in batches(jobs.only("id", "finished_at", "last_event")):
        yield [
            Finding(f"{job.last_event} events of job {job.pk}, ended {job.finished_at:%Y-%m-%d}", job.pk)
            for job in page
        ]


def repair(_: TaskRun, findings: list[Finding]) -> int:
    """Delete all events of a job or none: a retry of it waits for the lock, and then goes on."""
    with transaction.atomic():
        jobs = _ended_long_ago().filter(pk__in=[finding.subject for finding in findings])
        ids = list(jobs.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        JobEvent.objects.filter(job__in=ids).delete()
    return len(ids)


def _ended_long_ago() -> QuerySet[Job]:
    age = timedelta(days=settings.EVENT_RETENTION_DAYS)
    return Job.objects.filter(state__in=_ENDED, finished_at__lt=from_now(-age.total_seconds()))
