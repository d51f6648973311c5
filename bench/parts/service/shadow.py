"""What `shadow_diff --workers 2` compares on two processors: 12 MP originals, four sizes of the site, four of ours."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.asked import Asked
from bench.builds import of_a_command
from bench.measure import ROOT, Spread
from bench.memory_group import watched
from bench.pictures import TWELVE
from bench.rows import Row

_PICTURES, _WORKERS = 48, 2
#: The first ones pay for starting processes and decoders.
_WARM_UP = 8
#: The cut-over asks for it.
_TARGET = 10.0
_MACHINE_BYTES = 2048 * 1024 * 1024


class Bed(Asked):
    """A database, files and shadows of one picture, whose sizes are made already. No service runs, and no Redis."""

    def __init__(self, folder: Path) -> None:
        self._env = {**of_a_command(folder / "data"), "LEGACY_FOLDER": str(folder / "site")}
        (folder / "data").mkdir()
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=self._env, check=True)
        super().__init__("shadow", self._env)
        self.ask(fill=_PICTURES)

    def compare(self, *options: str) -> tuple[list[float], float, float]:
        """When each was compared, in seconds; processor time of all processes, in seconds; their peak in MB."""
        began = time.time()
        command = [sys.executable, "manage.py", "shadow_diff", "--again", "--workers", str(_WORKERS), "--json"]
        out, taken = watched([*command, *options], cwd=ROOT, env=self._env, limit_bytes=_MACHINE_BYTES)
        compared = self.ask(since=began)
        if len(compared) != json.loads(out)["compared"]:
            raise RuntimeError(f"not all is compared: {out}")
        return compared, taken.cpu_s, taken.peak_mb


def rows(rounds: int) -> Iterator[Row]:
    rates, cpu, peaks = [], [], []
    with tempfile.TemporaryDirectory(prefix="gallimg-bench-") as name, Bed(Path(name)) as bed:
        for _ in range(rounds):
            _, few_s, _ = bed.compare("--limit", str(_WARM_UP))
            compared, all_s, peak_mb = bed.compare()
            rates.append((_PICTURES - _WARM_UP) / (compared[-1] - compared[_WARM_UP - 1]))
            cpu.append(1000 * (all_s - few_s) / (_PICTURES - _WARM_UP))
            peaks.append(peak_mb)
    note = f"{_WORKERS} workers, SQLite and files; {median(cpu):.0f} ms of processor time each"
    yield Row("shadow", "comparisons a second", TWELVE.name, "/s", Spread.of(rates), _TARGET, False, note)
    yield Row("shadow", "processor time of a comparison", TWELVE.name, "ms", Spread.of(cpu), None, True, "nine files")
    yield Row("shadow", "peak of all processes", TWELVE.name, "MB", Spread.of(peaks), None, True, "")
