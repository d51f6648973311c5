"""Keeps RQ's short lists filled from the table, where the truth is."""

import random
import time
from uuid import UUID

import structlog
from django.conf import settings

from media_jobs import selectors
from media_jobs.adapters import database, queue
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

log = structlog.get_logger(__name__)

#: So often a list is looked at anew because somebody else changed it; who changed it is topping it up as well.
_TRIES = 10
_PAUSE_S = 0.01


def wake(*lanes: Lane) -> int:
    """Top up the lanes (default: all) to QUEUE_SIZE; how many jobs were announced.

    Any number of processes may do this at once. Never raises when queue or database are away: the rows wait, and the
    next call finds them.
    """
    try:
        return sum(_top_up(lane) for lane in lanes or Lane)
    except QueueUnavailable:
        log.warning("queue_unavailable")
    except database.CONNECTION_ERRORS as error:
        database.discard_connection(error)
    return 0


def _top_up(lane: Lane) -> int:
    announced = 0
    on_their_way: set[UUID] = set()  # to a worker, as far as one knows: neither in the list nor claimed
    for tried in range(_TRIES):
        held = queue.waiting(lane)
        room = settings.QUEUE_SIZE - len(held)
        if room <= 0:
            return announced
        jobs = list(selectors.claimable(lane, besides=[*held, *on_their_way], at_most=room))
        if not jobs:
            return announced
        places = selectors.places(held) | {job.pk: (job.queue_position, job.pk) for job in jobs}
        calls = {job.pk: job.last_event for job in jobs}  # not the attempt, which a cancel and a retry leave as it is
        try:
            passed_over = queue.announce(lane, calls, places, at_most=settings.QUEUE_SIZE)
        except queue.ListChanged:
            time.sleep(_PAUSE_S * tried * random.random())  # noqa: S311  (spreads the callers, no secret)
            continue
        announced += len(jobs) - len(passed_over)
        if not passed_over:
            return announced
        on_their_way |= passed_over
    return announced
