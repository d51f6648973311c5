"""Slows a run while the rest of the service suffers."""

from media_jobs.models import ReprocessRun


def suffers(run: ReprocessRun) -> bool:
    return False


def window(run: ReprocessRun) -> int:
    """Return how many of its jobs may wait or be in work at once."""
    return 16
