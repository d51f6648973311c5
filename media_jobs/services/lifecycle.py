"""What people do with jobs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from media_jobs.callers import Caller
from media_jobs.models import Job
from media_jobs.services import dispatch
from media_jobs.services.transitions import move, next_turn, waiting
from media_jobs.states import JobState, Lane

_RETRYABLE = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class RetryOutcome:
    """queued: how many jobs wait again. left: how many were in a state that allows no retry."""

    queued: int
    left: int


def retry_all(jobs: QuerySet[Job], *, actor: Caller) -> RetryOutcome:
    """Queue failed and cancelled jobs again, with MAX_ATTEMPTS more; leave alone those in another state."""
    chosen = list(jobs.values_list("pk", "lane", "owner"))  # read to the end before the first change
    queued = sum(_requeue(job_id, Lane(lane), owner, actor) for job_id, lane, owner in chosen)
    transaction.on_commit(dispatch.wake, robust=True)
    return RetryOutcome(queued, len(chosen) - queued)


def may_retry(job: Job) -> bool:
    return job.state in _RETRYABLE


def _requeue(job_id: UUID, lane: Lane, owner: str, actor: Caller) -> bool:
    more: dict[str, Any] = {"max_attempts": F("attempt") + settings.MAX_ATTEMPTS, "code": "", "detail": ""}
    wait = waiting(lane, turn=next_turn(lane, owner))
    return move(job_id, Q(state__in=_RETRYABLE), "retried", actor=actor, **wait, **more)
