"""Limits how often a heartbeat is called by code that waits or moves bytes."""

import time

from media_jobs.ports import Heartbeat

#: Seconds from one heartbeat to the next, at least.
INTERVAL_S = 0.25


def throttled(heartbeat: Heartbeat) -> Heartbeat:
    """Return a function that calls `heartbeat` when called first, and from then on at most once in INTERVAL_S."""
    due = time.monotonic()

    def call() -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + INTERVAL_S
            heartbeat()

    return call
