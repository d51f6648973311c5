"""Pages about reprocess runs and their ledgers."""

from media_jobs.admin.runs import items, pages

__all__ = ["items", "pages"]
