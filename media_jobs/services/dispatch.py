"""Keeps RQ's short lists filled from the table, where the truth is."""

import structlog
from django.conf import settings

from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

log = structlog.get_logger(__name__)


def wake(*lanes: Lane) -> int:
    """Top up the lanes (default: all) to QUEUE_SIZE; how many jobs were announced.

    Any number of processes may do this at once: a job announced twice is claimed once. Never raises when the
    queue is away: the rows wait, and the next call finds them.
    """
    try:
        return sum(_top_up(lane) for lane in lanes or Lane)
    except QueueUnavailable:
        log.warning("queue_unavailable")
        return 0


def _top_up(lane: Lane) -> int:
    announced = queue.waiting(lane)
    room = settings.QUEUE_SIZE - len(announced)
    if room <= 0:
        return 0
    jobs = selectors.claimable(lane, besides=announced, at_most=room)
    return sum(queue.ring(lane, job.pk, attempt=job.attempt + 1) for job in jobs)
