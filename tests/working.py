"""Has a worker do, or only claim, a certain job, whatever else is due."""

from uuid import UUID

from media_jobs import selectors
from media_jobs.models import Job
from media_jobs.services.jobs import processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import Lane

#: Before everybody else, those that come back included.
_FIRST = -1000


class NotDue(Exception):
    """The job is not there to be claimed."""


def claim(job_id: UUID, name: str) -> Job:
    """The job, held by a worker of that name. Raises NotDue."""
    lane = _put_first(job_id)
    job = claim_next(lane, named(name)) if lane else None
    if job is None:
        raise NotDue
    return job


def run(job_id: UUID, worker: Worker | None = None) -> None:
    """Do the job in this thread, by the worker of this process unless another is given. Nothing where it is not due."""
    worker = worker or workers.current()
    worker.suspects_outage = False
    lane = _put_first(job_id)
    if lane:
        processing.process_next(lane, worker)


def named(name: str) -> Worker:
    worker = Worker()
    worker.id = name
    return worker


def _put_first(job_id: UUID) -> Lane | None:
    """Its lane; None where the job is not due."""
    job = Job.objects.get(pk=job_id)
    lane = Lane(job.lane)
    due = selectors.due(lane).filter(pk=job_id)
    return lane if due.update(queue_position=_FIRST) else None
