"""How an image of a run gets its job: for a command that does it at once, or for the workers of the service."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import staleness
from media_jobs.models import Job, ReprocessRun, RunItem
from media_jobs.services.jobs import dispatch, transitions
from media_jobs.services.jobs.heartbeat import PROGRESS
from media_jobs.services.jobs.transitions import Lease, lease_end, move
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.runs import ledger, rate, selection
from media_jobs.states import JobState, Lane, OriginalState, RunItemState, RunState, Stage

#: So many images are looked at before a claim gives up for now, where all of them are skipped.
_LOOK_AT = 200
IMAGE_DELETED = "image_deleted"
NOTHING_TO_DO = "nothing_to_do"
KNOWN_FAILURE = "known_failure"


def claim_next(run_id: UUID, worker: Worker) -> Job | None:
    """Return the next job of the run, held by `worker` from now on, with all that its attempt reads.

    First a job that comes back (a retry, what a dead worker held), then the next image of the ledger. None when none
    may begin now: the run is not `running`, waits for its rate, quiet hours or a back-off, or has nothing left. Images
    that need nothing are skipped on the way. Raises one of database.CONNECTION_ERRORS.
    """
    run = ReprocessRun.objects.select_related("preset").get(pk=run_id)
    if run.state != RunState.RUNNING or not rate.allows(run):
        return None
    job = _claim_waiting(run, worker)
    if job is None and rate.take(run, 1):
        job = next(iter(_begin(run, 1, worker)), None)
    if job is not None:
        job.preset = worker.preset(job.preset_id)
    return job


def release(run: ReprocessRun, at_most: int) -> int:
    """Queue the jobs of the run's next images in the lane `bulk`; return how many. Raises nothing of its own."""
    count = rate.take(run, at_most)
    jobs = _begin(run, count, None) if count else []
    if jobs:
        dispatch.top_up(Lane.BULK)
    return len(jobs)


def _claim_waiting(run: ReprocessRun, worker: Worker) -> Job | None:
    waiting = Job.objects.filter(run=run, state=JobState.QUEUED, not_before__lte=Now()).order_by("queue_position", "id")
    if not waiting.exists():  # as a rule: then this is all that it costs
        return None
    with transaction.atomic():
        locked = waiting.select_related("original").select_for_update(of=("self",), skip_locked=True)
        job = next(iter(locked[:1]), None)
        if job is None:
            return None
        lease = Lease(job.pk, worker.id, job.attempt + 1)
        to = {**_held_by(worker), "attempt": lease.attempt, "lease_until": lease_end(), "started_at": Now()}
        still = Q(state=JobState.QUEUED, attempt=job.attempt)
        if not move(job.pk, still, "claimed", actor=worker.id, data={"attempt": lease.attempt}, **to):
            return None
    for name, value in {**_held_by(worker), "attempt": lease.attempt}.items():
        setattr(job, name, value)
    return job


def _begin(run: ReprocessRun, count: int, worker: Worker | None) -> list[Job]:
    """Make jobs for the next `count` images: held by `worker`, or queued. Fewer where another run has an image."""
    try:
        with transaction.atomic():
            return _make_jobs(run, _next_items(run, count), worker)
    except IntegrityError:  # another run took one of these images at the same moment: it is passed over next time
        return []


def _next_items(run: ReprocessRun, count: int) -> list[tuple[RunItem, list[str]]]:
    """Return at most `count` lines of the ledger that are to be done, each with its renditions; locked."""
    found: list[tuple[RunItem, list[str]]] = []
    after: UUID | None = None
    for _ in range(_LOOK_AT):
        page = _todo(run, after, count - len(found))
        if not page:
            break
        after = page[-1].original_id
        found += _needed(run, page)
        if len(found) >= count:
            break
    return found


def _todo(run: ReprocessRun, after: UUID | None, count: int) -> list[RunItem]:
    at_work = RunItem.objects.filter(state=RunItemState.WORKING).values("original")
    rows = RunItem.objects.filter(run=run, state=RunItemState.TODO).exclude(original__in=at_work)
    if after:
        rows = rows.filter(original__gt=after)
    rows = rows.select_related("original").order_by("original")
    # The originals, too: nobody deletes one between the look at it and the commit of its job.
    return list(rows.select_for_update(of=("self", "original"), no_key=True, skip_locked=True)[:count])


def _needed(run: ReprocessRun, page: Sequence[RunItem]) -> list[tuple[RunItem, list[str]]]:
    """Skip those of which nothing is to be made; return the others."""
    chosen = selection.Selection.from_json(run.selection)
    engine = staleness.current_engine() if chosen.missing or chosen.stale else ""
    wanted = selection.to_make(run, [item.original_id for item in page])
    why: dict[str, list[int]] = {}
    needed = []
    for item in page:
        original = item.original
        if original.state != OriginalState.ACTIVE or original.deleted_at is not None:
            why.setdefault(IMAGE_DELETED, []).append(item.pk)
        elif engine and original.refused_by == engine and not chosen.refused:
            why.setdefault(KNOWN_FAILURE, []).append(item.pk)
        elif not wanted[item.original_id]:
            why.setdefault(NOTHING_TO_DO, []).append(item.pk)
        else:
            needed.append((item, wanted[item.original_id]))
    for code, items in why.items():
        ledger.skip(items, code)
    return needed


def _make_jobs(run: ReprocessRun, items: list[tuple[RunItem, list[str]]], worker: Worker | None) -> list[Job]:
    if not items or not ReprocessRun.objects.filter(pk=run.pk, state=RunState.RUNNING).exists():
        return []
    first = 0
    if worker is None:
        position = transitions.next_position(Lane.BULK, run.owner)
        first = ReprocessRun.objects.annotate(first=position).values_list("first", flat=True).get(pk=run.pk)
    fields: dict[str, Any] = {"run": run, "owner": run.owner, "preset_id": run.preset_id, "lane": Lane.BULK}
    fields |= {"max_attempts": settings.MAX_ATTEMPTS, "last_event": 1}
    if worker:
        fields |= {**_held_by(worker), "attempt": 1, "lease_until": lease_end(), "started_at": Now()}
    jobs = [
        Job(original=item.original, wanted=wanted, queue_position=first + number, **fields)
        for number, (item, wanted) in enumerate(items)
    ]
    Job.objects.bulk_create(jobs)
    transitions.record_first(jobs, actor=worker.id if worker else run.owner, type="claimed" if worker else "queued")
    for job, (item, _) in zip(jobs, items, strict=True):
        RunItem.objects.filter(pk=item.pk).update(state=RunItemState.WORKING, job=job)
    return jobs


def _held_by(worker: Worker) -> dict[str, Any]:
    return {
        "state": JobState.PROCESSING,
        "stage": Stage.FETCHING,
        "progress": PROGRESS[Stage.FETCHING],
        "worker": worker.id,
        "code": "",
        "detail": "",
    }
