"""The pages for curators: one module per aggregate. Actions call services; nothing is decided here."""

from media_jobs.admin import api_keys, derivatives, job_events, jobs, maintenance, originals, people, presets, webhooks

__all__ = ["api_keys", "derivatives", "job_events", "jobs", "maintenance", "originals", "people", "presets", "webhooks"]
