"""What a service takes of memory when it has worked and rests: `python -m bench footprint --against CHECKOUT`.

As PSS: what processes share counts once. Slots within the web process, as on a machine of at most 512 MB, a worker
process, and that of the other build do the same, one after the other, on SQLite and files.
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
    small = _rested(ROOT, jobs, in_web=True)
    yield _memory("steady memory, slots in the web process", what, small)
    yield _by_kind("slots in the web process", small)
    ours = _rested(ROOT, jobs)
    yield _memory("steady memory, a worker process", what, ours)
    yield _by_kind("a worker process", ours)
    if not against:
        return
    other = _rested(against, jobs)
    note = f"the other: {_highest(other).total_mb:.0f} MB: {_highest(other).by_kind()}"
    for layout, found in (("slots in the web process", small), ("a worker process", ours)):
        ratio = Spread.of([mine.total_mb / theirs.total_mb for mine, theirs in zip(found, other, strict=True)])
        case = f"memory over the other build, {layout}"
        yield Row("footprint", case, what, "×", ratio, _MOST_TIMES, at_most=True, note=note)
    yield _by_kind("the build before", other)


def _rested(root: Path, jobs: int, *, in_web: bool = False) -> list[Census]:
    with ExitStack() as stack:
        service = stopped(stack, root, slots=_SLOTS, in_web=in_web).start()
        work_through(service, _HALF.file(), jobs)
        time.sleep(_REST_S)
        found = []
        for _ in range(_LOOKS):
            found.append(census(service))
            time.sleep(_EVERY_S)
        return found


def _memory(case: str, what: str, found: list[Census]) -> Row:
    note = _highest(found).by_kind()
    return Row("footprint", case, what, "MB", _spread(found), _MOST_MB, at_most=True, note=note)


def _by_kind(build: str, found: list[Census]) -> Curve:
    sizes = sorted(_highest(found).memory_mb.items(), key=lambda kind: -kind[1])
    return Curve("Memory by process: MB of PSS", build, tuple((name, round(mb, 1)) for name, mb in sizes))


def _highest(found: list[Census]) -> Census:
    return max(found, key=lambda one: one.total_mb)


def _spread(found: list[Census]) -> Spread:
    return Spread.of([one.total_mb for one in found])
