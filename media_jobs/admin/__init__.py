"""The pages for curators: one module per aggregate. Actions call services; nothing is decided here."""

from media_jobs.admin import (
    access,
    derivatives,
    instructions,
    job_events,
    jobs,
    maintenance,
    originals,
    presets,
    runs,
    webhooks,
)

__all__ = [
    "access",
    "derivatives",
    "instructions",
    "job_events",
    "jobs",
    "maintenance",
    "originals",
    "presets",
    "runs",
    "webhooks",
]
