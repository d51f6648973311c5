"""The memory of the sandbox's child over many renders in a row."""

import statistics
from collections.abc import Iterator

from bench import pictures
from bench.child import child
from bench.measure import MIB, Spread
from bench.rows import Row

_TARGETS = {pictures.TWELVE: 70, pictures.TWENTY_FOUR: 80, pictures.PROGRESSIVE: 150}


def rows(renders: int) -> Iterator[Row]:
    """Resident memory at its highest, of each render."""
    for picture, target in _TARGETS.items():
        with child(picture.file()) as rendering:
            peaks = [rendering.render().peak_bytes / MIB for _ in range(renders)]
        first, last = (statistics.median(part) for part in (peaks[:10], peaks[-10:]))
        note = f"{renders} renders in {len(rendering.pids)} child; first ten {first:.1f} MB, last ten {last:.1f} MB"
        highest = Spread(max(peaks), min(peaks), max(peaks))
        yield Row("memory", "highest peak of the child", picture.name, "MB", highest, target, at_most=True, note=note)
