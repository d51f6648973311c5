"""How quickly a service is there that was there before: `python -m bench start --against CHECKOUT`. Builds take turns.

Processor time is that of all its processes until it says that it is ready.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.builds import cpu_s, stopped
from bench.measure import ROOT, Spread
from bench.rows import Row
from tests.e2e.service import Service

_MOST_S = 3.0


@dataclass(frozen=True, slots=True)
class Start:
    wall_s: float
    cpu_s: float


def rows(rounds: int, against: Path | None) -> Iterator[Row]:
    with ExitStack() as stack:
        services = [stopped(stack, root, slots=2) for root in (ROOT, against) if root]
        found = [[_start(service) for service in services] for _ in range(rounds + 1)][1:]  # the first one migrates
    wall, work = (Spread.of([getattr(taken[0], kind) for taken in found]) for kind in ("wall_s", "cpu_s"))
    yield Row("start", "from manage.py serve to “gallimg ready”", "second start", "s", wall, _MOST_S, at_most=True)
    yield Row("start", "processor time of a start", "second start", "s", work)
    if against:
        ratio = Spread.of([ours.cpu_s / other.cpu_s for ours, other in found])
        note = f"the other: {median(other.cpu_s for _, other in found):.1f} s of processor time, "
        note += f"{median(other.wall_s for _, other in found):.1f} s in all"
        yield Row("start", "processor time of a start, over the other build", "second start", "×", ratio, note=note)


def _start(service: Service) -> Start:
    """Start it, and stop it again."""
    began = time.perf_counter()
    service.start()
    took_s = time.perf_counter() - began
    spent_s = sum(cpu_s(pid, ended=True) for pid in (service.pid, *service.pids()))
    service.stop()
    return Start(took_s, spent_s)
