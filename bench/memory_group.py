"""The memory of a command and all that it starts, limited as on a small machine where this one allows that."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import MIB

_EVERY_S = 0.05
_V1, _V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


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
    with _group(limit_bytes) as group:
        found = Watched(limited=group is not None)
        before_s = _children_s()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=(lambda: _enter(group)) if group else None,  # noqa: PLW1509  (one write, no lock)
        )  # fmt: skip
        watching = threading.Thread(target=_watch, args=(process, group, found))
        watching.start()
        out, err = process.communicate()
        watching.join()
        found.cpu_s = _children_s() - before_s
        if group:
            found.killed = _kills(group)
        if process.returncode:
            raise RuntimeError(f"{command}: exit code {process.returncode}\n{out}\n{err}")
    return out, found


@contextlib.contextmanager
def _group(limit_bytes: int) -> Iterator[Path | None]:
    v1 = _V1.is_dir()
    group = (_V1 if v1 else _V2) / f"gallimg-bench-{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(limit_bytes))
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        yield None
        return
    try:
        yield group
    finally:
        time.sleep(0.2)  # until the kernel has counted the last process out
        with contextlib.suppress(OSError):
            group.rmdir()


def _enter(group: Path | None) -> None:
    if group:
        (group / "cgroup.procs").write_text(str(os.getpid()))


def _watch(process: "subprocess.Popen[str]", group: Path | None, found: Watched) -> None:
    while process.poll() is None:
        used = _anonymous(group) if group else sum(map(_pss, _family(process.pid)))
        if used:
            found.used_bytes.append(used)
        time.sleep(_EVERY_S if group else 10 * _EVERY_S)


def _anonymous(group: Path) -> int:
    fields = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return int(fields.get("total_rss") or fields["anon"])


def _kills(group: Path) -> int:
    control = group / "memory.oom_control"
    text = (control if control.exists() else group / "memory.events").read_text()
    return int(dict(line.split() for line in text.splitlines()).get("oom_kill", 0))


def _family(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                    for child in (task / "children").read_text().split()]  # fmt: skip
        return [pid, *(other for child in children for other in _family(child))]
    return []


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
