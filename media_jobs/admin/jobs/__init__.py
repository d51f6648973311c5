"""Jobs and their histories: why one failed or waits, retrying and cancelling."""

from media_jobs.admin.jobs import events, pages

__all__ = ["events", "pages"]
