"""How often whoever waits or moves bytes calls its caller's beat."""

import time

from media_jobs.ports import Beat

#: Seconds from one beat to the next, at least.
PACE_S = 0.25


def paced(beat: Beat) -> Beat:
    """`beat`, called at the first call and from then on at most once in PACE_S."""
    due = time.monotonic()

    def call() -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + PACE_S
            beat()

    return call
