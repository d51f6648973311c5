"""Wakes workers: RQ holds wake-ups of a lane, the table says what is to be done."""

import structlog
from django.conf import settings

from media_jobs import selectors
from media_jobs.adapters import database, queue
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

log = structlog.get_logger(__name__)


def notify(lane: Lane) -> int:
    """Wake one worker for a job that was just committed; how many wake-ups were added.

    Never raises when the queue is away: the row waits, and workers look at the table by themselves.
    """
    try:
        return queue.enqueue_wakeups(lane, 1, at_most=settings.QUEUE_SIZE)
    except QueueUnavailable:
        log.warning("queue_unavailable")
        return 0


def notify_of_deletion() -> None:
    """Have a worker remove the files of deleted images now; it would do so within seconds by itself."""
    try:
        queue.enqueue_removal()
    except QueueUnavailable:
        log.warning("queue_unavailable")


def top_up(*lanes: Lane) -> bool:
    """See that each lane (default: all) has a wake-up for each of its due jobs, at most QUEUE_SIZE.

    Any number of processes may do this at once. False when the queue is away, or the database, which raises nothing.
    """
    try:
        waiting = queue.lengths()
        for lane in lanes or Lane:
            if waiting[lane] < settings.QUEUE_SIZE:
                due = selectors.count_due(lane, at_most=settings.QUEUE_SIZE)
                if due > waiting[lane]:
                    queue.enqueue_wakeups(lane, due - waiting[lane], at_most=due)
    except QueueUnavailable:
        log.warning("queue_unavailable")
        return False
    except database.CONNECTION_ERRORS as error:
        database.discard_connection(error)
        return False
    return True
