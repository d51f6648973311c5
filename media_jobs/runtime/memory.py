"""Keeps small what processes have of their own that are forked from one which has loaded all that they need."""

import ctypes
import gc
import sys

_M_ARENA_MAX = -8


def share() -> None:
    """Prepare this process for being forked: what it has loaded stays shared for as long as nobody uses it.

    Collections of the forks leave it alone, and their threads share one heap: each of eight had one of its own, of
    which most stayed unused (decision 075). Python's own allocator serves all that is small, so that threads hardly
    wait for each other.
    """
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt:
            mallopt(_M_ARENA_MAX, 1)
