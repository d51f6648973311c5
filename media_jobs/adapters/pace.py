"""How often whoever waits or moves bytes calls its caller's heartbeat."""

import time

from media_jobs.ports import Heartbeat

#: Seconds from one heartbeat to the next, at least.
PACE_S = 0.25


def paced(heartbeat: Heartbeat) -> Heartbeat:
    """`heartbeat`, called at the first call and from then on at most once in PACE_S."""
    due = time.monotonic()

    def call() -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + PACE_S
            heartbeat()

    return call
