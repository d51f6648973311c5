"""Invariants between rows and bucket, read from the server itself and not through the product."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from media_jobs.models import Derivative, DirectUpload, Job, Original, Shadow, Tombstone
from media_jobs.services.cutover.working import UNFINISHED
from media_jobs.services.jobs import worker as workers
from media_jobs.states import DerivativeState, JobState, OriginalState
from tests.faults.scenarios import Context


def at_any_time(context: Context) -> list[str]:
    """A done job has all that it promised, and no object is without a row that knows of it."""
    stored, tables = set(keys(context)), (Original, Derivative, DirectUpload, Tombstone)
    named = {key for table in tables for key in table._default_manager.values_list("key", flat=True)}
    return [
        *(found for job in Job.objects.filter(state=JobState.DONE) for found in _incomplete(job, stored)),
        *(f"nobody knows of {key}" for key in stored - named - context.planted),
    ]


def at_rest(context: Context, temporary: Path) -> list[str]:
    """Return what does not hold once everything works again, all has been sent again, and housekeeping was there."""
    return [
        *at_any_time(context),
        *(f"{job.pk} is {job.state}: {job.code}" for job in Job.objects.exclude(state=JobState.DONE)),
        *(f"{shadow.pk} is held by {shadow.worker}" for shadow in Shadow.objects.exclude(worker="")),
        *(
            f"{shadow.pk} waits: {shadow.code}"
            for shadow in Shadow.objects.filter(state__in=UNFINISHED).exclude(code="")
        ),
        *_rows_and_objects(context),
        *(f"multipart upload of {key}" for key in unfinished(context)),
        *(f"tombstone of {stone.key}" for stone in Tombstone.objects.all()),
        *(str(path) for path in temporary.rglob("*")),
        *(str(path) for path in workers.current().workspace.path.glob("job-*")),
    ]


def _incomplete(job: Job, stored: set[str]) -> Iterator[str]:
    current = Derivative.objects.filter(original=job.original_id, state=DerivativeState.CURRENT)
    made = dict(current.values_list("rendition", "key"))
    if missing := set(job.wanted) - made.keys():
        yield f"{job.pk} is done and has no {missing}"
    if lost := {*made.values(), job.original.key} - stored:
        yield f"{job.pk} is done and the storage lacks {lost}"


def _rows_and_objects(context: Context) -> Iterator[str]:
    """Every row its object, byte for byte, and every object its row."""
    settled = (OriginalState.ACTIVE, DerivativeState.CURRENT)
    rows = {row.key: row for model in (Original, Derivative) for row in model.objects.all()}
    stored = set(keys(context))
    yield from (f"{key} is {row.state}" for key, row in rows.items() if row.state not in settled)
    yield from (f"{key} is there, and no row names it" for key in stored - rows.keys())
    yield from (f"{key} is not there, and a row names it" for key in rows.keys() - stored)
    for key in stored & rows.keys():
        content = context.client.get_object(Bucket=context.bucket, Key=key)["Body"].read()
        if (hashlib.sha256(content).hexdigest(), len(content)) != (rows[key].sha256, rows[key].size_bytes):
            yield f"{key} has other bytes than its row says"


def keys(context: Context) -> list[str]:
    return [found["Key"] for found in context.client.list_objects_v2(Bucket=context.bucket).get("Contents", [])]


def unfinished(context: Context) -> list[str]:
    return [found["Key"] for found in context.client.list_multipart_uploads(Bucket=context.bucket).get("Uploads", [])]
