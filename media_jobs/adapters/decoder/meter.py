"""What a child process takes, measured from outside: it need not help, and cannot lie."""

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
    """Measures a child of this process from `begin()` on. Where the system does not tell (macOS), it says 0."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu_s = 0.0
        self._written_bytes = 0
        self._peak_seen_bytes = 0
        # Until it became a program of its own it shared our memory, and the system counts that in.
        self._ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._began = time.monotonic()

    def begin(self) -> None:
        """Whatever was before does not count."""
        with contextlib.suppress(OSError):  # else the peak is that of its whole life
            Path(f"/proc/{self._pid}/clear_refs").write_bytes(_RESET_PEAK)
        self._cpu_s = _cpu_s(self._pid)
        self._written_bytes = self._all_written_bytes()
        self._peak_seen_bytes = 0
        self._began = time.monotonic()

    def usage(self, died: resource.struct_rusage | None = None) -> Usage:
        """Since `begin()`. `died`: what the system said at its end."""
        cpu_s, peak_bytes = _cpu_s(self._pid), self.peak_bytes()
        if died:
            cpu_s = died.ru_utime + died.ru_stime
            if died.ru_maxrss > self._ours:
                peak_bytes = died.ru_maxrss * _MAXRSS_BYTES
        wall_s = time.monotonic() - self._began
        return Usage(round(wall_s * 1000), round(max(0.0, cpu_s - self._cpu_s) * 1000), peak_bytes)

    def peak_bytes(self) -> int:
        """Resident at its largest since `begin()`; of a dead one, as far as somebody asked while it lived."""
        self._peak_seen_bytes = max(self._peak_seen_bytes, self._told("status", "VmHWM") * 1024)
        return self._peak_seen_bytes

    def resident_bytes(self) -> int:
        """Just now."""
        return self._told("status", "VmRSS") * 1024

    def threads(self) -> int:
        """Just now."""
        return self._told("status", "Threads")

    def written_bytes(self) -> int:
        """Since `begin()`, to files and pipes."""
        return self._all_written_bytes() - self._written_bytes

    def _all_written_bytes(self) -> int:
        """By calls, or by pages of files in memory: what is more."""
        return max(self._told("io", "wchar"), self._told("io", "write_bytes"))

    def _told(self, file: str, field: str) -> int:
        try:
            lines = Path(f"/proc/{self._pid}/{file}").read_text().splitlines()
        except OSError:
            return 0
        return int(next((line.split()[1] for line in lines if line.startswith(f"{field}:")), "0"))


def _cpu_s(pid: int) -> float:
    """Processor time of a process by its own clock, whose id Linux makes of the process' id."""
    if sys.platform != "linux":
        return 0.0
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)
    except OSError:  # it has ended
        return 0.0
