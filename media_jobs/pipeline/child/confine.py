"""The child gives up what it does not need, before it reads the first request.

Linux knows all of it; elsewhere what the system knows.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_LIMITS = {
    resource.RLIMIT_CPU: 3600,  # seconds over the child's whole life; its parent starts a new one long before
    resource.RLIMIT_FSIZE: 256 * 1_048_576,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}


def confine(*, memory_bytes: int, parent_pid: int) -> None:
    """Limit this process for good, and let it die with its parent. Ends it at once if that is gone already."""
    for limit, value in _LIMITS.items():
        _lower(limit, value)
    if sys.platform == "linux":  # macOS knows RLIMIT_AS but does not honour it
        _lower(resource.RLIMIT_AS, memory_bytes)
        libc = ctypes.CDLL(None, use_errno=True)
        _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
        _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(0)


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    lowered = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (lowered, lowered))
