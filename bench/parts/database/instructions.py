"""What ten thousand instructions cost: each call of the Instrlabs API with one page of them, and with all, in turn."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.measure import Spread
from bench.parts.database.scale import Bed, in_ms
from bench.rows import Row
from tests import servers

#: A page of lists is full in both: what is compared is the table behind it.
_SMALL, _LARGE = {"instructions": 20}, {"instructions": 10_000}
_FILES_EACH = 5
_TARGET = 2.0
_TIMES = 10
CALLS = {
    "list": "GET /instructions",
    "list_done": "GET /instructions?status=DONE",
    "list_dated": "GET /instructions?createdAfter=…",
    "list_last": "GET /instructions, the last page",
    "one": "GET /instructions/{id}",
    "details": "GET /instructions/{id}/details",
    "detail": "GET /instructions/{id}/details/{detailId}",
    "products": "GET /products",
    "files": "GET /files, of everybody",
    "files_failed": "GET /files?status=FAILED",
}


def rows(rounds: int) -> Iterator[Row]:
    """The times with all as multiples of those with one page; medians of all rounds."""
    sizes = f"{_LARGE['instructions']:,} instructions, {_LARGE['instructions'] * _FILES_EACH:,} files"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
        postgres, valkey = stack.enter_context(servers.postgres()), stack.enter_context(servers.valkey())
        small, large = (
            stack.enter_context(Bed(name, postgres, valkey.database(number), folder / name, child="instructions"))
            for number, name in enumerate(("small", "large"))
        )
        small.ask(fill=_SMALL)
        large.ask(fill=_LARGE)
        for name, what in CALLS.items():
            times: dict[Bed, list[float]] = {small: [], large: []}
            for bed in times:
                bed.ask(measure=name, times=5)
            for _ in range(2 * rounds):
                for bed, so_far in times.items():
                    so_far.extend(bed.ask(measure=name, times=_TIMES))
            ratio = statistics.median(times[large]) / statistics.median(times[small])
            note = f"{in_ms(times[small])} with one page, {in_ms(times[large])} with all"
            yield Row("instructions", what, sizes, "×", Spread(ratio, ratio, ratio), _TARGET, at_most=True, note=note)
