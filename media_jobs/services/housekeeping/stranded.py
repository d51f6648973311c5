"""Jobs that wait in the table and that Redis has forgotten."""

from collections.abc import Iterator

from django.conf import settings

from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.services.housekeeping.part import Find, Sitting
from media_jobs.services.jobs import dispatch
from media_jobs.states import Lane


def find(_: Sitting) -> Iterator[list[Find]]:
    """Those for which there is room in Redis' lists. Raises QueueUnavailable."""
    for lane in Lane:
        held = queue.waiting(lane)
        jobs = selectors.claimable(lane, besides=held, at_most=max(settings.QUEUE_SIZE - len(held), 0))
        if finds := [Find(f"job {job.pk} in lane {lane}", lane) for job in jobs]:
            yield finds


def repair(_: Sitting, finds: list[Find]) -> int:
    return dispatch.wake(*{find.it for find in finds})
