"""One module per aggregate."""

from media_jobs.models.derivative import Derivative
from media_jobs.models.job import Job, JobEvent
from media_jobs.models.original import Original
from media_jobs.models.preset import Preset, Rendition

__all__ = ["Derivative", "Job", "JobEvent", "Original", "Preset", "Rendition"]
