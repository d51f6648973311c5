"""What the desk's pages cost the server among very many pictures, and beside an empty database."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.measure import Spread
from bench.parts.database.scale import Bed, in_ms
from bench.rows import Row
from tests import servers

_EMPTY = {"pictures": 0, "failed": 0}
_LARGE = {"pictures": 100_000, "failed": 2_000}
VERSIONS_EACH = 5
_MOST_MS, _MOST_TIMES = 150.0, 2.0
_TIMES = 5
#: Those that must be quick.
PAGES = {"home": "Home", "library": "Library", "library_list": "Library, as a list", "inbox": "Failures"}
#: Those that somebody asks for, and parts that a script asks for when the page is there.
OTHERS = {
    "library_next": "Library, its second page",
    "library_failed": "Library, failed",
    "library_no_credit": "Library, no credit",
    "library_stale": "Library, stale",
    "library_search": "Library, words that one picture has",
    "library_name": "Library, by file name",
    "inbox_group": "Failures of one kind",
    "picture": "a picture's page",
    "home_chart": "Home: the last day and month",
    "home_storage": "Home: storage by kind",
    "home_stale": "Home: how much is stale",
}

#: Seconds elapsed, and of processor time.
Times = tuple[float, float]


def rows(rounds: int, pictures: int | None = None) -> Iterator[Row]:
    """Milliseconds of processor time in the full database; of the quick pages also as multiples of the empty one.

    The database's is part of it: what is elapsed, too, hangs on what else the machine does, and stands in the notes.
    pictures: fewer of them, to see that it works.
    """
    size = _LARGE if pictures is None else {"pictures": pictures, "failed": max(pictures // 50, 1)}
    sizes = f"{size['pictures']:,} originals, {size['pictures'] * VERSIONS_EACH:,} derivatives"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
        postgres, valkey = stack.enter_context(servers.postgres()), stack.enter_context(servers.valkey())
        empty, full = (
            stack.enter_context(Bed(name, postgres, valkey.database(number), folder / name, child="desk"))
            for number, name in enumerate(("empty", "crowded"))
        )
        empty.ask(fill=_EMPTY)
        full.ask(fill=size)
        for name, what in PAGES.items():
            times: dict[Bed, list[Times]] = {empty: [], full: []}
            for bed in times:
                bed.ask(measure=name, times=_TIMES)
            for _ in range(2 * rounds):
                for bed, so_far in times.items():
                    so_far.extend(bed.ask(measure=name, times=_TIMES))
            worked = {bed: [work for _, work in so_far] for bed, so_far in times.items()}
            note = f"{in_ms(worked[empty])} empty, {in_ms(worked[full])} full; {_elapsed(times[full])}"
            ratio = statistics.median(worked[full]) / statistics.median(worked[empty])
            yield Row("desk", what, sizes, "ms", _ms(worked[full]), _MOST_MS, at_most=True, note=note)
            yield Row("desk", what, sizes, "×", Spread(ratio, ratio, ratio), _MOST_TIMES, at_most=True, note=note)
        for name, what in OTHERS.items():
            full.ask(measure=name, times=1)
            measured: list[Times] = full.ask(measure=name, times=_TIMES)
            yield Row("desk", what, sizes, "ms", _ms([work for _, work in measured]), note=_elapsed(measured))


def _ms(seconds: list[float]) -> Spread:
    return Spread(*(1000 * value for value in (statistics.median(seconds), min(seconds), max(seconds))))


def _elapsed(times: list[Times]) -> str:
    return f"elapsed {in_ms([elapsed for elapsed, _ in times])}"
