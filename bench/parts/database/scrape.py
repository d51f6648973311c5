"""What a scrape of `/metrics` costs beside very many jobs, and a turn of housekeeping beside very many objects."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.measure import Spread
from bench.parts.database.scale import Bed, in_ms
from bench.rows import Row
from tests import servers

_EMPTY = {"done": 0, "queued": 0}
_LARGE = {"done": 1_000_000, "queued": 100_000}
_MOST_TIMES, _MOST_TURN_S = 1.5, 10.0
_TIMES = 5


def rows(rounds: int, jobs: int | None = None) -> Iterator[Row]:
    """A scrape as a multiple of one of an empty database, and the longest turn of housekeeping that lists all objects.

    A scrape's is processor time, the database's with it; elapsed times, which hang on what else the machine does, stand
    in the note. jobs: fewer of them, to see that it works.
    """
    size = _LARGE if jobs is None else {"done": jobs, "queued": jobs // 10}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
        postgres, valkey = stack.enter_context(servers.postgres()), stack.enter_context(servers.valkey())
        empty, large = (
            stack.enter_context(Bed(name, postgres, valkey.database(number), folder / name, child="scrape"))
            for number, name in enumerate(("empty", "large"))
        )
        empty.ask(fill=_EMPTY)
        large.ask(fill=size)
        yield _scrape(empty, large, rounds, f"{size['done']:,} jobs done, {size['queued']:,} queued")
        yield _turn(large, f"{sum(size.values()):,} objects")


def _scrape(empty: Bed, large: Bed, rounds: int, sizes: str) -> Row:
    elapsed: dict[Bed, list[float]] = {empty: [], large: []}
    worked: dict[Bed, list[float]] = {empty: [], large: []}
    for bed in (empty, large):
        bed.ask(scrape=_TIMES)
    for _ in range(2 * rounds):
        for bed in (empty, large):
            for seconds, work in bed.ask(scrape=_TIMES):
                elapsed[bed].append(seconds)
                worked[bed].append(work)
    ratio = statistics.median(worked[large]) / statistics.median(worked[empty])
    note = f"{in_ms(worked[empty])} empty, {in_ms(worked[large])} full; elapsed {in_ms(elapsed[large])}"
    return Row("scrape", "GET /metrics", sizes, "×", Spread(ratio, ratio, ratio), _MOST_TIMES, at_most=True, note=note)


def _turn(bed: Bed, sizes: str) -> Row:
    """Turn after turn until all objects are listed."""
    took_s, ended = [], False
    while not ended:
        seconds, ended = bed.ask(due_tasks=True)
        took_s.append(seconds)
    spread = Spread(max(took_s), min(took_s), max(took_s))
    note = f"{len(took_s)} turns until all were listed; jobs are done beside them"
    return Row("scrape", "housekeeping’s longest turn", sizes, "s", spread, _MOST_TURN_S, at_most=True, note=note)
