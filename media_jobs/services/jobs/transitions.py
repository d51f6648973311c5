"""Every change of a job's state goes through here: one conditional update and its event, both or neither."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Now

from media_jobs import event_log
from media_jobs.callers import Caller
from media_jobs.errors import MediaError
from media_jobs.models import Instruction, Job, JobEvent
from media_jobs.pipeline.values import Usage
from media_jobs.services.runs import ledger
from media_jobs.states import JobState, Lane, Stage, may_become

#: The position of a job that comes back: before all others when its time has come. It takes no part in computing
#: anybody else's, so that a retry that waits, or has just been waiting, holds nothing down.
FRONT = -1
#: Ends at which the ledger of a run must be told; `publishing` tells it of the good one.
_GIVEN_UP = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a worker must still hold for its writes to count."""

    job_id: UUID
    worker: str
    attempt: int

    @property
    def holds(self) -> Q:
        return Q(state=JobState.PROCESSING, worker=self.worker, attempt=self.attempt)

    @property
    def finished(self) -> Q:
        """This very worker did it, in this very attempt."""
        return Q(state=JobState.DONE, worker=self.worker, attempt=self.attempt)


def lease_end() -> models.Expression:
    """The moment, on the database's clock, at which a lease taken or renewed now runs out."""
    return from_now(settings.LEASE_S)


def from_now(seconds: float) -> models.Expression:
    return models.ExpressionWrapper(Now() + timedelta(seconds=seconds), models.DateTimeField())


def next_position(lane: Lane, owner: str | models.OuterRef) -> models.Expression:
    """The place of a new job of `owner` in `lane`: start-time fair queueing (Goyal, Vin, Cheng 1996).

    It comes after the owner's other waiting jobs, but not after the ten thousand of somebody else: whoever had nothing
    waiting starts level with the lowest that is due. Workers take the lowest first.
    """
    of_owner = Job.objects.filter(state=JobState.QUEUED, lane=lane, owner=owner).order_by("-queue_position")
    after_own = Coalesce(models.Subquery(of_owner.values("queue_position")[:1]) + 1, Value(0))
    return Greatest(front_position(lane), after_own, output_field=models.BigIntegerField())


def front_position(lane: Lane) -> models.Expression:
    """The lowest position among the jobs of `lane` that could be done now, leaving aside those that come back."""
    could_be = Job.objects.filter(state=JobState.QUEUED, lane=lane, not_before__lte=Now(), queue_position__gt=FRONT)
    due = could_be.order_by("queue_position", "id")
    return Coalesce(models.Subquery(due.values("queue_position")[:1]), Value(0))


def waiting(lane: Lane, *, after_s: float = 0, position: models.Expression | None = None) -> dict[str, Any]:
    """The fields of a job that waits for a worker of `lane`, from `after_s` seconds on; by default it comes next."""
    return {
        "state": JobState.QUEUED,
        "lane": lane,
        "queue_position": FRONT if position is None else position,
        "stage": Stage.WAITING,
        "progress": 0,
        "worker": "",
        "lease_until": None,
        "finished_at": None,
        "not_before": from_now(after_s),
    }


def failed(error: MediaError) -> dict[str, Any]:
    """The fields of a job that gave up."""
    return {"state": JobState.FAILED, "lease_until": None, "finished_at": Now(), **why(error)}


def why(error: MediaError) -> dict[str, Any]:
    return {"code": error.code, "detail": str(error)}


def cost(usage: Usage | None) -> dict[str, int]:
    """The fields of a job that tell what its rendering took; none where it never came to that."""
    if usage is None:
        return {}
    return {"render_ms": usage.wall_ms, "cpu_ms": usage.cpu_ms, "peak_memory_bytes": usage.peak_bytes}


def move(
    job_id: UUID,
    where: Q,
    event: str,
    *,
    actor: Caller | str,
    data: dict[str, Any] | None = None,
    number: int | None = None,
    **to: Any,
) -> bool:
    """Change the job if `where` holds for it, and write `event` into its history. False when it does not hold.

    A new `state` is reached only from where `states.MOVES` allows it.

    number: that of the event, where the caller holds the lock of the row and so knows it.
    """
    if "state" in to:
        where &= Q(state__in=may_become(to["state"]))
    with transaction.atomic(savepoint=False):  # it is all or nothing with what is around it
        if not Job.objects.filter(where, pk=job_id).update(last_event=F("last_event") + 1, **to):
            return False
        record(job_id, event, actor=actor, data=data, number=number)
        if to.get("state") in _GIVEN_UP:
            ledger.note_ends([job_id], to["state"], to.get("code", ""))
    return True


def move_all(
    jobs: Collection[UUID], where: Q, event: str, *, actor: Caller | str, data: dict[str, Any] | None = None, **to: Any
) -> int:
    """`move` for some hundred jobs at once, in a handful of statements; how many of them `where` held for."""
    if "state" in to:
        where &= Q(state__in=may_become(to["state"]))
    with transaction.atomic(savepoint=False):  # it is all or nothing with what is around it
        held = Job.objects.select_for_update().filter(where, pk__in=jobs)
        # Locked in one order, or two of these could wait for each other. On SQLite a transaction is alone anyway.
        numbers = dict(held.order_by("pk").values_list("pk", "last_event"))
        # Triggers count what changes in the instructions that jobs are of: these, too, are locked in one order.
        counting = Instruction.objects.filter(details__job__in=list(numbers)).order_by("pk")
        list(counting.select_for_update(no_key=True, of=("self",)).values_list("pk"))
        Job.objects.filter(pk__in=numbers).update(last_event=F("last_event") + 1, **to)
        transaction_id = event_log.transaction_number()
        if transaction_id is not None:  # once, and not for each event
            one = Job.objects.filter(pk__in=list(numbers)[:1]).annotate(number=transaction_id)
            transaction_id = one.values_list("number", flat=True).first()
        JobEvent.objects.bulk_create(
            JobEvent(
                job_id=job_id,
                number=number + 1,
                type=event,
                actor=actor.id if isinstance(actor, Caller) else actor,
                data=data or {},
                transaction_id=transaction_id,
            )
            for job_id, number in numbers.items()
        )
        if to.get("state") in _GIVEN_UP:
            ledger.note_ends(numbers, to["state"], to.get("code", ""))
    return len(numbers)


def record_first(jobs: Collection[Job], *, actor: str, type: str) -> None:
    """Write the first event of each of these new jobs, in the transaction that makes them."""
    number = event_log.transaction_number()
    JobEvent.objects.bulk_create(
        JobEvent(job=job, number=1, type=type, actor=actor, transaction_id=number) for job in jobs
    )


def record(
    job_id: UUID, event: str, *, actor: Caller | str, data: dict[str, Any] | None = None, number: int | None = None
) -> None:
    """Write the event that the job's `last_event` was just raised for, in the same transaction.

    number: the value of `last_event`, where the caller knows it.
    """
    last_event = models.Subquery(Job.objects.filter(pk=job_id).values("last_event"))
    JobEvent.objects.create(
        job_id=job_id,
        number=last_event if number is None else number,
        type=event,
        actor=actor.id if isinstance(actor, Caller) else actor,
        data=data or {},
        transaction_id=event_log.transaction_number(),
    )
