"""What RQ calls, by dotted path."""

from django.db import close_old_connections

from media_jobs.services.housekeeping.retention import deleted_images
from media_jobs.services.jobs import processing, worker
from media_jobs.states import Lane


def process_lane(lane: str) -> None:
    """Do what is due in a lane. May be called once too often, or for nothing."""
    close_old_connections()
    processing.process_lane(Lane(lane), worker.current())


def remove_deleted_images() -> None:
    """Remove the derivatives of deleted images. May be called for nothing."""
    close_old_connections()
    deleted_images.remove_derivatives()


def process_job(_job_id: str) -> None:
    """Wake-ups that version 0.1 left in Redis named a job. Its worker finds it in the table, as all others."""
