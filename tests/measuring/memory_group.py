"""A cgroup that holds the memory of a command and all that it starts to a limit, as a small machine does.

Root can make one where the memory controller is there to be given on, of either version; nobody else can.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_V1, _V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
_EMPTY_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """`launcher`: a command that enters the group, and becomes the one appended to it."""

    folder: Path

    @property
    def launcher(self) -> tuple[str, ...]:
        return ("sh", "-c", f'echo $$ >{self.folder}/cgroup.procs && exec "$@"', "sh")

    @property
    def anonymous_bytes(self) -> int:
        """What its processes hold now, without the system's cache of files, which gives way."""
        fields = self._numbers("memory.stat")
        return fields["total_rss"] if "total_rss" in fields else fields["anon"]

    @property
    def oom_kills(self) -> int:
        """How many of its processes the kernel has ended for want of memory."""
        v1 = (self.folder / "memory.oom_control").exists()
        return self._numbers("memory.oom_control" if v1 else "memory.events").get("oom_kill", 0)

    def _numbers(self, file: str) -> dict[str, int]:
        pairs = (line.split() for line in (self.folder / file).read_text().splitlines())
        return {name: int(number) for name, number in pairs}


@contextlib.contextmanager
def memory_group(limit_bytes: int) -> Iterator[MemoryGroup | None]:
    """An empty group without swap; None where this process may not make one. Its processes end before this does."""
    v1 = _V1.is_dir()
    folder = (_V1 if v1 else _V2) / f"gallimg-{os.getpid()}-{time.monotonic_ns()}"
    try:
        if not v1:
            with contextlib.suppress(OSError):  # it may have been given on before
                (_V2 / "cgroup.subtree_control").write_text("+memory")
        folder.mkdir()
        (folder / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(limit_bytes))
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        yield None
        return
    without_swap = ("memory.memsw.limit_in_bytes", str(limit_bytes)) if v1 else ("memory.swap.max", "0")
    with contextlib.suppress(OSError):  # a kernel without accounts of swap
        (folder / without_swap[0]).write_text(without_swap[1])
    try:
        yield MemoryGroup(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """As soon as the kernel has counted its last process out."""
    until_s = time.monotonic() + _EMPTY_WITHIN_S
    while True:
        try:
            return folder.rmdir()
        except OSError:
            if time.monotonic() > until_s:
                raise
        time.sleep(0.05)
