"""Which errors /v1 answers how: problem documents with the statuses that all APIs share."""

from media_jobs.api.shared.problems import handle

__all__ = ["handle"]
