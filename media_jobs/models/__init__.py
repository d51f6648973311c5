"""One module per aggregate."""

from media_jobs.models.derivative import Derivative
from media_jobs.models.direct_upload import DirectUpload
from media_jobs.models.idempotency import IdempotencyKey
from media_jobs.models.job import EventClock, Job, JobEvent
from media_jobs.models.original import Original
from media_jobs.models.preset import Preset, Rendition
from media_jobs.models.upkeep import Chore, Tombstone

__all__ = [
    "Chore",
    "Derivative",
    "DirectUpload",
    "EventClock",
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "Original",
    "Preset",
    "Rendition",
    "Tombstone",
]
