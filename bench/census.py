"""What the processes of a service hold: memory, open descriptors, files of the moment, connections."""

import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench.measure import MIB
from tests.e2e.service import Service, family

#: Names of the kernel, without those that a number makes different.
_NUMBERED = re.compile(r"^(gallimg-worker)\d+$")


@dataclass(frozen=True, slots=True)
class Census:
    """At one moment. memory_mb: PSS by the names of processes. connections: sockets of one end, and open databases."""

    memory_mb: dict[str, float]
    descriptors: int
    connections: int
    files: int

    @property
    def total_mb(self) -> float:
        """Of all processes but the queue's server."""
        return sum(size for name, size in self.memory_mb.items() if not name.startswith("valkey"))

    def by_kind(self) -> str:
        return ", ".join(f"{name} {size:.0f}" for name, size in sorted(self.memory_mb.items()))


def census(service: Service) -> Census:
    """Count the master and all that descends from it. What ends meanwhile is left out."""
    memory: defaultdict[str, float] = defaultdict(float)
    descriptors = connections = 0
    for pid, title in {
        service.pid: "gallimg",
        **{pid: title for pid, (_, title) in family(service.pid).items()},
    }.items():
        try:
            memory[_NUMBERED.sub(r"\1", title)] += pss_bytes(pid) / MIB
            held = [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        descriptors += len(held)
        connections += sum(each.startswith("socket:") or each.endswith(".sqlite3") for each in held)
    return Census(dict(memory), descriptors, connections, len(_files(service.data)))


def pss_bytes(pid: int) -> int:
    """Raises OSError where the process is gone."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _files(data: Path) -> list[Path]:
    """What lies in the folders for temporary files, of workers and of uploads on their way."""
    folders = [data / "work", *(data / "objects").glob("uploads"), *(data / "objects").glob(".*"), data / "tmp"]
    return [path for folder in folders if folder.exists() for path in folder.rglob("*") if path.is_file()]
