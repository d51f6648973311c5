"""The pages for curators: one module per aggregate. Actions call services; nothing is decided here."""

from media_jobs.admin import derivatives, job_events, jobs, maintenance, originals, people, presets

__all__ = ["derivatives", "job_events", "jobs", "maintenance", "originals", "people", "presets"]
