"""The pages for curators: one module or package per aggregate. Actions call services; nothing is decided here."""

from media_jobs.admin import (
    access,
    changes,
    derivatives,
    instructions,
    jobs,
    maintenance,
    originals,
    presets,
    runs,
    webhooks,
)

__all__ = [
    "access",
    "changes",
    "derivatives",
    "instructions",
    "jobs",
    "maintenance",
    "originals",
    "presets",
    "runs",
    "webhooks",
]
