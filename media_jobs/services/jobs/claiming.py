"""How a worker gets its next job: the lane's lowest that is due, by one conditional update."""

from functools import partial

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import selectors
from media_jobs.adapters import database
from media_jobs.models import Job
from media_jobs.services.jobs import failures, outage
from media_jobs.services.jobs.heartbeat import PROGRESS
from media_jobs.services.jobs.transitions import Lease, lease_end, move
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import JobState, Lane, Stage


def claim_next(lane: Lane, worker: Worker) -> Job | None:
    """The next job of the lane, held by `worker` from now on, with all that its attempt reads; None when none is due.

    Nor is one taken that failed for want of storage or disk, until they are seen to be back; then the worker suspects
    an outage. Raises one of database.CONNECTION_ERRORS when the database stays away.
    """
    trusted = False
    while True:
        job = database.retry_on_disconnect(partial(_claim, lane, worker, trusted), unless=partial(_own, worker))
        if job is None:
            return None
        if job.state == JobState.PROCESSING:
            job.preset = database.retry_on_disconnect(partial(worker.preset, job.preset_id))
            return job
        if outage.reason(worker):
            worker.suspects_outage = True
            return None
        trusted = True


def _claim(lane: Lane, worker: Worker, trusted: bool) -> Job | None:
    """Claim the next job. One that failed for an outage is returned as it waits, unless that is known to be over."""
    with transaction.atomic():
        # PostgreSQL passes over what others are just claiming; on SQLite a transaction is alone.
        due = selectors.due(lane).select_related("original").select_for_update(of=("self",), skip_locked=True)
        job = next(iter(due[:1]), None)
        if job is None or (failures.is_outage(job.code) and not trusted):
            return job
        lease = Lease(job.pk, worker.id, job.attempt + 1)
        claimed = {
            "state": JobState.PROCESSING,
            "stage": Stage.FETCHING,
            "progress": PROGRESS[Stage.FETCHING],
            "attempt": lease.attempt,
            "worker": worker.id,
            "code": "",
            "detail": "",
        }
        times = {"lease_until": lease_end(), "started_at": Now()}
        still = Q(state=JobState.QUEUED, attempt=job.attempt)
        data = {"attempt": lease.attempt}
        number = job.last_event + 1
        if not move(job.pk, still, "claimed", actor=worker.id, data=data, number=number, **claimed, **times):
            return None
    for name, value in claimed.items():
        setattr(job, name, value)
    return job


def _own(worker: Worker) -> Job | None:
    """What the worker holds already."""
    return Job.objects.select_related("original").filter(state=JobState.PROCESSING, worker=worker.id).first()
