"""Derivatives: their rows are written before their objects and made current, all at once, after them."""

from dataclasses import asdict
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now

from media_jobs import keys
from media_jobs.adapters import database
from media_jobs.errors import LeaseLost, StorageUnavailable
from media_jobs.models import Derivative, Job, Original, Tombstone
from media_jobs.pipeline.values import Output, Rendered, Usage
from media_jobs.services import object_deletion
from media_jobs.services.jobs.transitions import Lease, cost, move
from media_jobs.states import DerivativeState, JobState, Stage

log = structlog.get_logger(__name__)

#: Facts that everybody may read who may see the picture. Positions, serial numbers and whatever is not named here are
#: for those who may read the original: a fact that the pipeline learns to tell is private until somebody lists it.
PUBLIC_FACTS = frozenset(
    {"captureDate", "cameraMake", "cameraModel", "lens", "exposureTime", "fNumber", "iso", "focalLength"}
)
_IN_COLUMNS = frozenset({"width", "height", "orientation"})


def rows(job: Job, rendered: Rendered) -> list[Derivative]:
    """A row for each output, none of them saved yet."""
    return [_row(job, rendered, output) for output in rendered.outputs]


def stage(staged: list[Derivative]) -> None:
    """Save the rows, all of one original, so that an object never exists without a row that names it.

    Nobody deletes objects of their keys from here on. May be repeated. Raises KeyBeingDeleted.
    """
    if not staged:
        return
    with transaction.atomic():
        object_deletion.reserve(staged[0].original_id, [derivative.key for derivative in staged])
        Derivative.objects.bulk_create(staged, ignore_conflicts=True)


def finish_removals(staged: list[Derivative]) -> None:
    """Where somebody began to remove objects of these keys and died, do it in their place; else do nothing."""
    deleting = Tombstone.objects.filter(key__in=[derivative.key for derivative in staged], deleting=True)
    for key in deleting.values_list("key", flat=True):
        object_deletion.delete_unreferenced(key)


def publish(
    lease: Lease,
    job: Job,
    rendered: Rendered,
    staged: list[Derivative],
    *,
    usage: Usage | None,
    duration_ms: int,
) -> None:
    """Swap the staged derivatives in and close the job, in one transaction. Raises LeaseLost and changes nothing."""
    with transaction.atomic():
        # First, so that two jobs over one original end one after the other.
        Original.objects.filter(pk=job.original_id).update(**_facts(rendered))
        done = move(
            job.pk, lease.holds, "done", actor=lease.worker,
            data={"renditions": [output.name for output in rendered.outputs], **cost(usage)},
            state=JobState.DONE, stage=Stage.FINISHED, progress=100, lease_until=None,
            finished_at=Now(), duration_ms=duration_ms, receipt=asdict(rendered.receipt), **cost(usage),
        )  # fmt: skip
        if not done:
            raise LeaseLost(str(job.pk))
        for derivative in staged:
            _make_current(derivative)


def discard(staged: list[Derivative]) -> None:
    """Remove what was staged and not published, rows and objects. Ends with the first that cannot be removed now:
    housekeeping removes it and the others.

    Keys are the same for all who make the same of an original: an object that another row names stays.
    """
    for derivative in staged:
        try:
            database.retry_on_disconnect(partial(object_deletion.delete_derivative, derivative))
        except (StorageUnavailable, *database.CONNECTION_ERRORS) as error:
            log.warning("derivative_left", key=derivative.key, error=type(error).__name__)
            return  # waiting for each of them would keep this worker from its next job, or from stopping in time


def _facts(rendered: Rendered) -> dict[str, Any]:
    """The fields of an original that its rendering tells."""
    told = {name: fact for name, fact in rendered.metadata.items() if name not in _IN_COLUMNS}
    public = {name: fact for name, fact in told.items() if name in PUBLIC_FACTS}
    return {
        "format": rendered.format,
        "width_px": rendered.width_px,
        "height_px": rendered.height_px,
        "orientation": rendered.orientation,
        "metadata": public,
        "private_metadata": {name: fact for name, fact in told.items() if name not in PUBLIC_FACTS},
        "placeholder": rendered.placeholder.uri,
        "dominant_colour": rendered.placeholder.colour,
        **asdict(rendered.rights),
    }


def _row(job: Job, rendered: Rendered, output: Output) -> Derivative:
    return Derivative(
        original_id=job.original_id,
        preset_id=job.preset_id,
        preset_name=job.preset.name,
        job=job,
        rendition=output.name,
        key=keys.derivative_key(output.name, job.original_id, output.digest, output.format.extension),
        content_type=output.format.content_type,
        width_px=output.width_px,
        height_px=output.height_px,
        size_bytes=output.size_bytes,
        sha256=output.sha256,
        engine=rendered.engine,
    )


def _make_current(new: Derivative) -> None:
    current = Derivative.objects.filter(
        original_id=new.original_id, preset_name=new.preset_name, rendition=new.rendition, state=DerivativeState.CURRENT
    )
    # The same recipe over the same bytes: the same key, so one row stays and tells of the latest run.
    if current.filter(key=new.key).update(job=new.job, preset_id=new.preset_id):
        Derivative.objects.filter(pk=new.pk).delete()
        return
    current.update(state=DerivativeState.REPLACED, replaced_at=Now())
    if not Derivative.objects.filter(pk=new.pk).update(state=DerivativeState.CURRENT):
        raise LeaseLost(str(new.job_id))  # somebody took the row for a leftover: then its object may be gone as well
