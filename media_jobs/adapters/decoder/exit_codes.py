"""Why a decoder process ended, by its exit code and by the last that it wrote to standard error."""

import signal

from media_jobs import errors
from media_jobs.pipeline.readers.damage import lacks_memory

_CRASHES = (
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGILL,
    signal.SIGTRAP,
    signal.SIGFPE,
    signal.SIGSYS,
)


def classify_exit(code: int, stderr: str, *, peak_bytes: int, memory_bytes: int, timeout_s: float) -> errors.MediaError:
    """What to raise for a process that ended with return code `code` in the middle of a picture.

    stderr: what it wrote there meanwhile. peak_bytes: resident, at its largest. memory_bytes, timeout_s: what
    the picture was allowed to take.
    """
    if code == -signal.SIGKILL:
        return errors.DecoderKilled(describe_exit(code))
    if code == -signal.SIGXCPU:
        return errors.DecoderTimeout(limit_s=timeout_s)
    # Some libraries go on with the address that they did not get, and say nothing.
    silently = -code in _CRASHES and peak_bytes > memory_bytes // 2
    if silently or lacks_memory(stderr):
        return errors.TooMuchMemory(needed_bytes=memory_bytes + 1, limit_bytes=memory_bytes)
    if -code in _CRASHES:
        return errors.DecoderCrashed(describe_exit(code))
    return errors.DecoderFailed(describe_exit(code))


def describe_exit(code: int) -> str:
    """How a process ended, by its return code."""
    if code >= 0:
        return f"it ended with exit code {code}"
    if code == -signal.SIGKILL:
        return "it was killed from outside, perhaps for lack of memory"
    if code == -signal.SIGXCPU:
        return "it used up its processor time"
    if code == -signal.SIGSYS:
        return "it made a system call that no program of this machine makes"
    if -code in _CRASHES:
        return f"it crashed, signal {-code}"
    return f"it was ended by signal {-code}"
