"""What RQ calls, by dotted path. Tasks take ids and call one service."""

from uuid import UUID

from django.db import close_old_connections

from media_jobs.services.jobs import processing


def process_job(job_id: str) -> None:
    """Process one job. May be called twice for the same id; the second call does nothing."""
    close_old_connections()
    processing.run(UUID(job_id))
