"""Derivatives: their rows are written before their objects and made current, all at once, after them."""

from collections.abc import Mapping
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
from media_jobs.pipeline.values import PUBLIC_FACTS, Output, Rendered, Usage, ingredient_digest
from media_jobs.services import engines, object_deletion
from media_jobs.services.jobs.transitions import Lease, cost, move
from media_jobs.services.runs import ledger
from media_jobs.states import DerivativeState, JobState, Stage

log = structlog.get_logger(__name__)

#: What of an original its rendering finds out, and a roll back restores. What is valid of rights follows from it.
FACTS = (
    "format",
    "width_px",
    "height_px",
    "orientation",
    "metadata",
    "private_metadata",
    "placeholder",
    "dominant_colour",
    "rights_in_file",
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
    """Remove objects of these keys where somebody began to and died; else do nothing."""
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
    took: Mapping[str, int],
) -> None:
    """Swap the staged derivatives in and close the job, in one transaction. Raises LeaseLost and changes nothing.

    took: the fields of a job that tell how long its attempt and its stages were.
    """
    with transaction.atomic():
        # First, so that two jobs over one original end one after the other.
        originals = Original.objects.filter(pk=job.original_id)
        # Perhaps somebody has stated rights meanwhile: then what was made is stale, and their word counts all the same.
        fields = ("stated_rights", *(FACTS if job.run_id else ()))
        was = originals.select_for_update(no_key=True).values(*fields).first() or {}
        facts = _facts(rendered, was.get("stated_rights", {}))
        originals.update(**facts, refused_code="", refused_by="")
        done = move(
            job.pk, lease.holds, "done", actor=lease.worker,
            data={"renditions": [output.name for output in rendered.outputs], **cost(usage)},
            state=JobState.DONE, stage=Stage.FINISHED, progress=100, lease_until=None,
            finished_at=Now(), **took, receipt=asdict(rendered.receipt), **cost(usage),
        )  # fmt: skip
        if not done:
            raise LeaseLost(str(job.pk))
        kept = _make_current(job, staged)
        if job.run_id:
            changed = {name: was[name] for name in FACTS if was[name] != facts[name]}
            ledger.note_done(job.pk, {"facts": changed, "kept": kept} if changed or kept else None)
    engines.note(rendered.engine)


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


def _facts(rendered: Rendered, stated_rights: dict[str, str]) -> dict[str, Any]:
    """The fields of an original that its rendering found out."""
    facts = {name: fact for name, fact in rendered.metadata.items() if name not in _IN_COLUMNS}
    public = {name: fact for name, fact in facts.items() if name in PUBLIC_FACTS}
    return {
        "format": rendered.format,
        "width_px": rendered.width_px,
        "height_px": rendered.height_px,
        "orientation": rendered.orientation,
        "metadata": public,
        "private_metadata": {name: fact for name, fact in facts.items() if name not in PUBLIC_FACTS},
        "placeholder": rendered.placeholder.uri,
        "dominant_colour": rendered.placeholder.colour,
        "rights_in_file": asdict(rendered.rights),
        **asdict(rendered.rights.outranked_by(stated_rights)),
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
        overrides_digest=ingredient_digest(job.original.overrides()),
        rights_digest=ingredient_digest(rendered.rights.outranked_by(job.original.stated_rights)),
    )


def _make_current(job: Job, staged: list[Derivative]) -> list[dict[str, str]]:
    """Swap the staged rows in for those that are current. Needs the lock on the original.

    The same recipe over the same bytes has the same key: then the row that is there stays, and names the latest job.
    Returns the id, job and preset of each such row as they were.
    """
    current = Derivative.objects.filter(
        original=job.original_id,
        preset_name=job.preset.name,
        rendition__in=[new.rendition for new in staged],
        state=DerivativeState.CURRENT,
    )
    keys_made = {new.key for new in staged}
    found = list(current.only("id", "key", "job", "preset"))
    same = [old for old in found if old.key in keys_made]
    replaced = [old for old in found if old.key not in keys_made]
    if replaced:
        rows = Derivative.objects.filter(pk__in=[old.pk for old in replaced])
        rows.update(state=DerivativeState.REPLACED, replaced_at=Now(), replaced_by=job)
    if same:
        Derivative.objects.filter(pk__in=[old.pk for old in same]).update(job=job, preset=job.preset_id)
    kept = {old.key for old in same}
    swapped_in = [new.pk for new in staged if new.key not in kept]
    if kept:
        Derivative.objects.filter(pk__in=[new.pk for new in staged if new.key in kept]).delete()
    if Derivative.objects.filter(pk__in=swapped_in).update(state=DerivativeState.CURRENT) != len(swapped_in):
        raise LeaseLost(str(job.pk))  # somebody took a row for a leftover: then its object may be gone as well
    return [{"id": str(old.pk), "job": str(old.job_id), "preset": str(old.preset_id)} for old in same]
