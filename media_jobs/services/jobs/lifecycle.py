"""What people do with jobs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from media_jobs import selectors, tracing
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import Caller
from media_jobs.errors import WrongState
from media_jobs.models import Job, Original
from media_jobs.services.jobs import dispatch
from media_jobs.services.jobs.transitions import move, move_all, next_position, waiting
from media_jobs.states import JobState, Lane, Triage

_RETRYABLE = (JobState.FAILED, JobState.CANCELLED)
CANCELLABLE = (JobState.QUEUED, JobState.PROCESSING)
#: Jobs that are moved in one transaction: few statements for many, and no long locks.
_BATCH = 300
#: Of a job that may fail again: nobody has looked at that yet.
_UNSORTED: dict[str, Any] = {"triage": Triage.NEW, "triage_note": ""}


@dataclass(frozen=True, slots=True)
class RetryOutcome:
    """queued: how many jobs wait again. left: how many were in a state that allows no retry."""

    queued: int
    left: int


@dataclass(frozen=True, slots=True)
class CancelOutcome:
    """cancelled: how many jobs will not be done. left: how many were over already."""

    cancelled: int
    left: int


def may_retry(job: Job) -> bool:
    return job.state in _RETRYABLE


def may_cancel(job: Job) -> bool:
    return job.state in CANCELLABLE


def cancel(job_id: UUID, *, actor: Caller) -> Job:
    """Stop the job, which is returned as it is now. Cancelling again changes nothing.

    Its worker, if it has one, notices within a second and throws away what it has made. Raises WrongState when the
    job is over already, Job.DoesNotExist.
    """
    move(job_id, Q(state__in=CANCELLABLE), "cancelled", actor=actor, **cancelled())
    job = _read(job_id)
    if job.state != JobState.CANCELLED:
        raise WrongState(f"The job is over already ({job.state}); there is nothing left to cancel.")
    return job


def lacks_objects(job: Job) -> bool:
    """Whether the job is done, and the storage has not all that it made. Raises StorageUnavailable.

    Asks as everybody may: the web process has no right to look into the storage.
    """
    if job.state != JobState.DONE:
        return False
    made = selectors.derivatives_of(job)
    return len(made) < len(job.wanted) or not all(store(Role.WEB).exists(found.key) for found in made)


def retry(job_id: UUID, *, actor: Caller, lacks_objects: bool = False) -> Job:
    """Queue a failed or cancelled job again, with MAX_ATTEMPTS more; it is returned as it waits.

    lacks_objects: or one that is done, and of which that was found. Raises WrongState when it is in another state or
    its image was deleted, Job.DoesNotExist.
    """
    states = (*_RETRYABLE, JobState.DONE) if lacks_objects else _RETRYABLE
    with transaction.atomic():
        job = _read(job_id)
        if not _of_kept_images([job_id]):
            raise WrongState("The image of this job was deleted; restore it first.")
        lane = Lane(job.lane)
        again = waiting(lane, position=next_position(lane, job.owner))
        if not move(job_id, Q(state__in=states), "retried", actor=actor, **again, **_anew()):
            raise WrongState(
                f"The job is {_read(job_id).state}; only failed and cancelled jobs can be queued again, and done ones "
                "whose derivatives are gone."
            )
        transaction.on_commit(lambda: dispatch.notify(lane), robust=True)
        return _read(job_id)


def retry_all(jobs: QuerySet[Job], *, actor: Caller, into: Lane | None = None) -> RetryOutcome:
    """`retry` for many; leaves alone those in another state, and those of deleted images.

    into: the lane in which they wait from now on; by default each in its own.
    """

    def requeue(batch: list[UUID], lane: Lane) -> int:
        with transaction.atomic():
            kept = _of_kept_images(batch)
            again = waiting(into or lane, position=_positions(kept, into or lane))
            return move_all(kept, Q(state__in=_RETRYABLE), "retried", actor=actor, **again, **_anew())

    queued, of = _in_batches(jobs, requeue)
    transaction.on_commit(dispatch.top_up, robust=True)
    return RetryOutcome(queued, of - queued)


def make_again(jobs: list[UUID], *, actor: Caller) -> int:
    """Queue done jobs whose derivatives are gone, behind all uploads; how many that were. Leaves others alone."""
    queued = 0
    for start in range(0, len(jobs), _BATCH):
        with transaction.atomic():
            kept = _of_kept_images(jobs[start : start + _BATCH])
            again = waiting(Lane.BULK, position=_positions(kept, Lane.BULK, (JobState.DONE,)))
            queued += move_all(kept, Q(state=JobState.DONE), "retried", actor=actor, **again, **_anew())
    transaction.on_commit(dispatch.top_up, robust=True)
    return queued


def cancel_all(jobs: QuerySet[Job], *, actor: Caller) -> CancelOutcome:
    """`cancel` for many; leaves alone those that are over."""

    def stop(batch: list[UUID], lane: Lane) -> int:
        return move_all(batch, Q(state__in=CANCELLABLE), "cancelled", actor=actor, **cancelled())

    stopped, of = _in_batches(jobs, stop)
    return CancelOutcome(stopped, of - stopped)


def _in_batches(jobs: QuerySet[Job], change: Callable[[list[UUID], Lane], int]) -> tuple[int, int]:
    """How many jobs were changed, of how many. Each batch is of one lane, oldest first."""
    changed = of = 0
    for page in selectors.batches(jobs.only("id", "lane"), _BATCH):
        of += len(page)
        for lane in sorted({job.lane for job in page}):
            changed += change([job.pk for job in page if job.lane == lane], Lane(lane))
    return changed, of


def _of_kept_images(batch: list[UUID]) -> list[UUID]:
    """Those jobs of the batch whose image was not deleted, and is not until the end of the transaction."""
    images = Original.objects.filter(pk__in=Job.objects.filter(pk__in=batch).values("original"))
    locked = images.select_for_update(no_key=True).order_by("pk").values_list("pk", "deleted_at")
    kept = [image_id for image_id, deleted_at in locked if deleted_at is None]
    return list(Job.objects.filter(pk__in=batch, original__in=kept).order_by("pk").values_list("pk", flat=True))


def _positions(batch: list[UUID], lane: Lane, states: Sequence[JobState] = _RETRYABLE) -> Case:
    """A position for each job of the batch in one of these states: those of an owner come one after the other."""
    jobs = Job.objects.filter(pk__in=batch, state__in=states).order_by("pk")
    following: dict[str, int] = {}
    whens = []
    for job_id, owner, first in jobs.annotate(first=next_position(lane, OuterRef("owner"))).values_list(
        "pk", "owner", "first"
    ):
        position = following.get(owner, first or 0)
        following[owner] = position + 1
        whens.append(When(pk=job_id, then=Value(position)))
    return Case(*whens, default=F("queue_position"), output_field=BigIntegerField())


def _anew() -> dict[str, Any]:
    """The fields of a job that is retried, beside those of one that waits."""
    return {
        "max_attempts": F("attempt") + settings.MAX_ATTEMPTS,
        "code": "",
        "detail": "",
        "traceback": "",
        **_UNSORTED,
        **_asked_by(),
    }


def _asked_by() -> dict[str, str]:
    """What it is retried by, where that is known."""
    begun = tracing.traceparent()
    if not begun:
        return {}
    return {"traceparent": begun, "tracestate": tracing.tracestate(), "request_id": tracing.request_id()}


def cancelled() -> dict[str, Any]:
    """The fields of a job that is cancelled."""
    return {"state": JobState.CANCELLED, "lease_until": None, "finished_at": Now(), "code": "", "detail": ""}


def _read(job_id: UUID) -> Job:
    return Job.objects.select_related("original", "preset").get(pk=job_id)
