"""The memory of a command and all that it starts, limited as on a small machine where this one allows that."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.census import pss_bytes
from bench.measure import MIB
from tests.e2e.service import family
from tests.measuring.memory_group import MemoryGroup, memory_group

_EVERY_S = 0.05


@dataclass
class Watched:
    """used_bytes: samples, in the order of time. limited: whether the kernel held it to its limit."""

    limited: bool
    used_bytes: list[int] = field(default_factory=list)
    killed: int = 0
    cpu_s: float = 0.0

    @property
    def peak_mb(self) -> float:
        return max(self.used_bytes) / MIB

    @property
    def growth(self) -> float:
        """How many times as high its peak was in the last third as in the middle one."""
        third = len(self.used_bytes) // 3
        return max(self.used_bytes[-third:]) / max(self.used_bytes[third:-third])


def watched(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], limit_bytes: int) -> tuple[str, Watched]:
    """Run the command to its end. Return its standard output, and what it and all its children took.

    Memory is anonymous memory (the cgroup's) where there may be a cgroup, else the PSS of all processes: either way
    without the system's cache of files. Raises CalledProcessError.
    """
    with memory_group(limit_bytes) as group:
        found = Watched(limited=group is not None)
        before_s = _children_s()
        process = subprocess.Popen(
            [*(group.launcher if group else ()), *command],
            cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        watching = threading.Thread(target=_watch, args=(process, group, found))
        watching.start()
        out, err = process.communicate()
        watching.join()
        found.cpu_s = _children_s() - before_s
        if group:
            found.killed = group.oom_kills
        if process.returncode:
            raise RuntimeError(f"{command}: exit code {process.returncode}\n{out}\n{err}")
    return out, found


def _watch(process: "subprocess.Popen[str]", group: MemoryGroup | None, found: Watched) -> None:
    while process.poll() is None:
        used = group.anonymous_bytes if group else sum(map(_pss_bytes, (process.pid, *family(process.pid))))
        if used:
            found.used_bytes.append(used)
        time.sleep(_EVERY_S if group else 10 * _EVERY_S)


def _pss_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        return pss_bytes(pid)
    return 0


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
