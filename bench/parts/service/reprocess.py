"""What `reprocess --workers 2` makes of two processors, against the bare pipeline in two processes, in turn."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.asked import Asked
from bench.builds import of_a_command
from bench.measure import MIB, ROOT, Spread
from bench.memory_group import Watched, watched
from bench.pictures import TWELVE
from bench.rows import Row
from tests import servers
from tests.e2e.stores import s3_settings
from tests.servers.seaweed import seaweedfs

_IMAGES, _PROCESSES = 48, 2
#: The first ones pay for starting processes and decoders, which 20,000 do not notice.
_WARM_UP = 8
_TARGETS = {"SQLite and files": 0.92, "PostgreSQL and S3": 0.88}
_MACHINE_BYTES = 512 * MIB
#: The seed's plan: so many originals on such a machine, in at most a day.
_PLANNED, _PLANNED_S, _FACTOR = 20_000, 86_400, 10


@dataclass(frozen=True, slots=True)
class Pass:
    """images_s: how many images a second. cpu_s: processor time of each, in seconds."""

    images_s: float
    cpu_s: float


class Bed(Asked):
    """A database and a storage with originals, and the command over them. No service runs, and no Redis."""

    def __init__(self, settings: dict[str, str], data: Path) -> None:
        self._env = {**of_a_command(data), **settings}
        data.mkdir()
        self._manage("migrate", "--verbosity=0")
        super().__init__("reprocess", self._env)
        self.ask(fill=_IMAGES)
        self._warm_up_cpu_s = self._command("--limit", str(_WARM_UP))[1].cpu_s

    def take(self) -> tuple[Pass, Watched]:
        summary, taken = self._command()
        ended = self.ask(ended=summary["run"])
        if len(ended) != _IMAGES:
            raise RuntimeError(f"not all is done: {summary}")
        count = _IMAGES - _WARM_UP
        rate = count / (ended[-1] - ended[_WARM_UP - 1])
        return Pass(rate, (taken.cpu_s - self._warm_up_cpu_s) / count), taken

    def _command(self, *more: str) -> tuple[dict[str, Any], Watched]:
        options = ("--prefix", "originals/", "--workers", str(_PROCESSES), "--force", "--json", *more)
        command = [sys.executable, "manage.py", "reprocess", *options]
        out, taken = watched(command, cwd=ROOT, env=self._env, limit_bytes=_MACHINE_BYTES)
        return json.loads(out), taken

    def _manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self._env, check=True)


def rows(rounds: int) -> Iterator[Row]:
    for name, target in _TARGETS.items():
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
            settings: dict[str, str] = {}
            if name.startswith("PostgreSQL"):
                settings["DATABASE_URL"] = stack.enter_context(servers.postgres()).url
                settings |= s3_settings(stack.enter_context(seaweedfs()))
            bed = stack.enter_context(Bed(settings, folder / "data"))
            yield from _compared(name, target, rounds, bed)


def _compared(name: str, target: float, rounds: int, bed: Bed) -> Iterator[Row]:
    raw, ours, memory = [_raw()], [], []
    for _ in range(rounds):
        taken, used = bed.take()
        ours.append(taken)
        memory.append(used)
        raw.append(_raw())
    # Each pass of ours stands between two of theirs: what else the machine does meets both alike.
    pairs = [(one, (a, b)) for one, a, b in zip(ours, raw, raw[1:], strict=False)]
    rate, bare_rate = (median(one.images_s for one in passes) for passes in (ours, raw))
    cpu_ms, bare_ms = (1000 * median(one.cpu_s for one in passes) for passes in (ours, raw))
    share = Spread.of([one.images_s / median((a.images_s, b.images_s)) for one, (a, b) in pairs])
    dearer = Spread.of([one.cpu_s / median((a.cpu_s, b.cpu_s)) for one, (a, b) in pairs])
    faster = Spread.of([_PLANNED_S * one.images_s / _PLANNED for one in ours])
    growth, killed = median(used.growth for used in memory), sum(used.killed for used in memory)
    how = "in a cgroup of 512 MB" if memory[0].limited else "PSS: no cgroup can be made"

    def row(what: str, unit: str, measured: Spread, target: float | None, note: str, *, at_most: bool = False) -> Row:
        return Row("reprocess", f"{name}: {what}", TWELVE.name, unit, measured, target, at_most, note)

    note = f"{rate:.1f}/s, the bare pipeline {bare_rate:.1f}/s"
    yield row("images a second, as a share of the bare pipeline's", "×", share, target, note)
    note = f"{cpu_ms:.0f} ms each, the bare pipeline {bare_ms:.0f} ms"
    yield row("processor time of the command, over the bare pipeline's", "×", dearer, None, note)
    note = f"{_PLANNED:,} in {_PLANNED / rate / 60:.0f} min"
    yield row(f"faster than the plan's 24 h for {_PLANNED:,}", "×", faster, _FACTOR, note)
    note = f"{how}; {killed} killed; the last third over the middle one {growth:.2f} ×"
    yield row("peak of all processes", "MB", Spread.of([used.peak_mb for used in memory]), 512, note, at_most=True)


def _raw() -> Pass:
    command = [sys.executable, "-m", "bench.peers.whole", str(TWELVE.file()), str(_IMAGES // _PROCESSES)]
    env = {**os.environ, "VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "1"}
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(_PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        began = time.perf_counter()
        for process in processes:
            print(file=process.stdin, flush=True)
        cpu_s = sum(float(process.stdout.readline()) for process in processes if process.stdout)
        return Pass(_IMAGES / (time.perf_counter() - began), cpu_s / _IMAGES)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
