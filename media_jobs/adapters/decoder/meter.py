"""What a child process takes, measured from outside: the child need not help, and cannot lie."""

import contextlib
import resource
import sys
import time
from pathlib import Path

from media_jobs.pipeline.values import Usage

_RESET_PEAK = b"5"
_SCHEDULER_CLOCK = 2
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


class Meter:
    """Measures a child of this process from `begin()` on. Where the system does not know (macOS), all is 0."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu_s = 0.0
        self._written_bytes = 0
        self._peak_seen_bytes = 0
        # The system may count in our memory, which a child shares until it becomes a program of its own.
        self._ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._began = time.monotonic()

    def begin(self) -> None:
        """Start anew: whatever was before does not count."""
        with contextlib.suppress(OSError):  # else the peak is that of its whole life
            Path(f"/proc/{self._pid}/clear_refs").write_bytes(_RESET_PEAK)
        self._cpu_s = _cpu_s(self._pid)
        self._written_bytes = self._all_written_bytes()
        self._peak_seen_bytes = 0
        self._began = time.monotonic()

    def usage(self, died: resource.struct_rusage | None = None) -> Usage:
        """What was taken since `begin()`. `died`: what the system said at its end."""
        cpu_s, peak_bytes = _cpu_s(self._pid), self.peak_bytes()
        if died:
            cpu_s = died.ru_utime + died.ru_stime
            if died.ru_maxrss > self._ours:
                peak_bytes = died.ru_maxrss * _MAXRSS_BYTES
        wall_s = time.monotonic() - self._began
        return Usage(round(wall_s * 1000), round(max(0.0, cpu_s - self._cpu_s) * 1000), peak_bytes)

    def peak_bytes(self) -> int:
        """Resident memory at its largest since `begin()`; of a dead child, as far as somebody asked while it lived."""
        self._status()
        return self._peak_seen_bytes

    def resident_bytes(self) -> int:
        """Resident memory now."""
        return self._status().get("VmRSS", 0) * 1024

    def threads(self) -> int:
        """How many it has now."""
        return self._status().get("Threads", 0)

    def written_bytes(self) -> int:
        """What it wrote since `begin()`, to files and pipes."""
        return self._all_written_bytes() - self._written_bytes

    def _status(self) -> dict[str, int]:
        """The child's status. Each look at it keeps its peak for when the child is gone."""
        status = self._read("status")
        self._peak_seen_bytes = max(self._peak_seen_bytes, status.get("VmHWM", 0) * 1024)
        return status

    def _all_written_bytes(self) -> int:
        """Bytes written by calls, or by pages of files in memory: whichever is more."""
        counters = self._read("io")
        return max(counters.get("wchar", 0), counters.get("write_bytes", 0))

    def _read(self, file: str) -> dict[str, int]:
        """The numbers of a file in the child's folder of /proc, by their names; none where there is no such file."""
        try:
            with open(f"/proc/{self._pid}/{file}") as lines:
                fields = (line.split() for line in lines)
                return {words[0][:-1]: int(words[1]) for words in fields if len(words) > 1 and words[1].isdigit()}
        except OSError:
            return {}


def _cpu_s(pid: int) -> float:
    """Processor time of a process by its own clock, whose id Linux makes of the process' id."""
    if sys.platform != "linux":
        return 0.0
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)
    except OSError:  # it has ended
        return 0.0
