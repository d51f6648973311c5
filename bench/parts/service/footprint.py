"""What a service takes of memory when it has worked and rests: `python -m bench footprint --against CHECKOUT`.

As PSS: what processes share counts once. Two builds do the same, one after the other, on SQLite and files.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.builds import stopped, work_through
from bench.census import Census, census
from bench.measure import ROOT, Spread
from bench.pictures import Picture
from bench.rows import Curve, Row

_HALF = Picture("0.5 MP", 816, 612)
_SLOTS = 2
_MOST_MB, _MOST_TIMES = 120.0, 0.65
#: Decoders, and then their template, have ended by then.
_REST_S = 75.0
#: It is looked so often then, and the highest counts: maintenance comes and goes.
_LOOKS, _EVERY_S = 5, 5.0


def rows(jobs: int, against: Path | None) -> Iterator[Row | Curve]:
    what = f"after {jobs:,} jobs"
    ours = _rested(ROOT, jobs)
    yield Row(
        "footprint", "steady memory", what, "MB", _spread(ours), _MOST_MB, at_most=True, note=_highest(ours).by_kind()
    )
    yield _by_kind("this build", ours)
    if not against:
        return
    other = _rested(against, jobs)
    ratio = Spread.of([mine.total_mb / theirs.total_mb for mine, theirs in zip(ours, other, strict=True)])
    note = f"the other: {_highest(other).total_mb:.0f} MB: {_highest(other).by_kind()}"
    yield Row(
        "footprint", "steady memory, over the other build", what, "×", ratio, _MOST_TIMES, at_most=True, note=note
    )
    yield _by_kind("the build before", other)


def _rested(root: Path, jobs: int) -> list[Census]:
    with ExitStack() as stack:
        service = stopped(stack, root, slots=_SLOTS).start()
        work_through(service, _HALF.file(), jobs)
        time.sleep(_REST_S)
        found = []
        for _ in range(_LOOKS):
            found.append(census(service))
            time.sleep(_EVERY_S)
        return found


def _by_kind(build: str, found: list[Census]) -> Curve:
    sizes = sorted(_highest(found).memory_mb.items(), key=lambda kind: -kind[1])
    return Curve("Memory by process: MB of PSS", build, tuple((name, round(mb, 1)) for name, mb in sizes))


def _highest(found: list[Census]) -> Census:
    return max(found, key=lambda one: one.total_mb)


def _spread(found: list[Census]) -> Spread:
    return Spread.of([one.total_mb for one in found])
