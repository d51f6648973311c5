"""The pages for curators: one module per aggregate. Actions call services; nothing is decided here."""

from media_jobs.admin import chores, derivatives, jobs, originals, people, presets

__all__ = ["chores", "derivatives", "jobs", "originals", "people", "presets"]
