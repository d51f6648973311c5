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
    _of_glibc("mallopt", _M_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the system what C's allocator has free, also between what is in use. It takes a millisecond."""
    _of_glibc("malloc_trim", 0)


def _of_glibc(function: str, *arguments: int) -> None:
    if sys.platform == "linux":
        found = getattr(ctypes.CDLL(None), function, None)  # musl has none of them
        if found:
            found(*arguments)
