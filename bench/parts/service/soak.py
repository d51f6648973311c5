"""Whether a service that works for long keeps what it should give back: `python -m bench soak --jobs 20000`.

It is looked at after each twentieth of the jobs, when all of them are done. The first quarter does not count: caches
fill, and threads begin. Of memory the slope counts behind it; of all else, what the last looks find more than the first
ones behind it, by their medians, as now a thread has the database open and now not.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import linear_regression, median

from bench.builds import stopped, work_through
from bench.census import Census, census
from bench.measure import ROOT, Spread
from bench.pictures import Picture
from bench.rows import Row
from tests.e2e.service import Service

_TINY = Picture("0.05 MP", 256, 192)
_SLICES = 20
_WARM = _SLICES // 4
_LOOKS = 5
_MOST_MB = 1.0


def rows(jobs: int) -> Iterator[Row]:
    each = jobs // _SLICES
    with ExitStack() as stack:
        service = stopped(stack, ROOT, slots=2).start()
        found = [_looked(service, each) for _ in range(_SLICES)]
    thousands = [each * number / 1000 for number in range(_WARM, _SLICES)]
    slope = linear_regression(thousands, [one.total_mb for one in found[_WARM:]]).slope
    what = f"after {jobs:,} jobs"
    first, last = found[_WARM : _WARM + _LOOKS], found[-_LOOKS:]
    note = f"{first[0].total_mb:.0f} MB after a quarter, {last[-1].total_mb:.0f} MB at the end: {last[-1].by_kind()}"
    spread = Spread.of([slope])
    yield Row("soak", "memory for each 1,000 jobs", what, "MB", spread, _MOST_MB, at_most=True, note=note)
    for kind in ("descriptors", "connections", "files"):
        before, after = (median(getattr(one, kind) for one in looks) for looks in (first, last))
        note = f"{before:g} after a quarter, {after:g} at the end"
        yield Row("soak", f"leaked {kind}", what, "", Spread.of([max(0, after - before)]), 0, at_most=True, note=note)


def _looked(service: Service, jobs: int) -> Census:
    work_through(service, _TINY.file(), jobs)
    return census(service)
