"""Whether a service that works for long keeps what it should give back: `python -m bench soak --jobs 20000`.

Of memory the slope counts, from a quarter of the way on: until then caches fill. Of all else, what is held after a rest
at the end and was not after one at a quarter of the way.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

from bench.builds import stopped, work_through
from bench.census import Census, census
from bench.measure import ROOT, Spread
from bench.pictures import Picture
from bench.rows import Row
from tests.e2e.service import Service

_TINY = Picture("0.05 MP", 256, 192)
_SLICES = 20
_WARM = _SLICES // 4
#: Connections of databases and requests that nobody uses are closed after this.
_REST_S = 20.0
_MOST_MB = 1.0


def rows(jobs: int) -> Iterator[Row]:
    each = jobs // _SLICES
    with ExitStack() as stack:
        service = stopped(stack, ROOT, slots=2).start()
        found: list[Census] = []
        before = None
        for number in range(_SLICES):
            work_through(service, _TINY.file(), each)
            found.append(census(service))
            if number + 1 == _WARM:
                before = _rested(service)
        after = _rested(service)
    assert before
    thousands = [each * number / 1000 for number in range(_WARM, _SLICES)]
    slope = statistics.linear_regression(thousands, [one.total_mb for one in found[_WARM:]]).slope
    what = f"after {jobs:,} jobs"
    note = f"{before.total_mb:.0f} MB after {each * _WARM:,}, {after.total_mb:.0f} MB at the end: {after.by_kind()}"
    spread = Spread.of([slope])
    yield Row("soak", "memory for each 1,000 jobs", what, "MB", spread, _MOST_MB, at_most=True, note=note)
    for kind in ("descriptors", "connections", "files"):
        first, last = getattr(before, kind), getattr(after, kind)
        leaked = Spread.of([float(max(0, last - first))])
        note = f"{first} at a quarter of the way, {last} at the end"
        yield Row("soak", f"leaked {kind}", what, "", leaked, 0, at_most=True, note=note)


def _rested(service: Service) -> Census:
    time.sleep(_REST_S)
    return census(service)
