"""`python -m bench [PART …]`: measures, prints the table and keeps it as JSON. A miss does not change the exit code.

`python -m bench targets` measures nothing: it holds what was kept against what is wanted of the service.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from bench import machine
from bench.measure import ROOT
from bench.parts.database import claims, desk, instructions, scale, scrape
from bench.parts.pipeline import call, memory, quality, raw, speed, unit_tests
from bench.parts.service import (
    accepting,
    alone,
    crowd,
    footprint,
    hostile,
    peers,
    reprocess,
    shadow,
    soak,
    start,
    storage,
    throughput,
    waiting,
)
from bench.report import charts, table, targets
from bench.rows import Curve, Results, Row, Run

_Part = Callable[[argparse.Namespace], Iterator[Row | Curve]]

#: What is measured if no part is named.
_ALWAYS: dict[str, _Part] = {
    "speed": lambda options: speed.rows(options.rounds),
    "call": lambda options: call.rows(options.rounds),
    "memory": lambda options: memory.rows(options.renders),
    "raw": lambda options: raw.rows(options.rounds),
    "tests": lambda options: unit_tests.rows(),
}
#: They take long, or much of the disk, or say nothing of pictures.
_BY_NAME: dict[str, _Part] = {
    "accepting": lambda options: accepting.rows(options.rounds, options.against),
    "bytes": lambda options: quality.rows(options.photos),
    "crowd": lambda options: crowd.rows(),
    "desk": lambda options: desk.rows(options.rounds, options.pictures),
    "footprint": lambda options: footprint.rows(options.jobs or 1_000, options.against),
    "hostile": lambda options: hostile.rows(options.against),
    "instructions": lambda options: instructions.rows(options.rounds),
    "peers": lambda options: peers.rows(options.rounds),
    "reprocess": lambda options: reprocess.rows(options.rounds),
    "scale": lambda options: chain(scale.rows(options.rounds), claims.rows(options.rounds, options.against)),
    "scrape": lambda options: scrape.rows(options.rounds, options.pictures),
    "service": lambda options: alone.rows(options.rounds),
    "shadow": lambda options: shadow.rows(options.rounds),
    "soak": lambda options: soak.rows(options.jobs or 20_000),
    "start": lambda options: start.rows(options.rounds, options.against),
    "storage": lambda options: storage.rows(options.rounds),
    "throughput": lambda options: throughput.rows(options.rounds, options.against),
    "waiting": lambda options: waiting.rows(options.rounds),
}
PARTS = _ALWAYS | _BY_NAME
#: Names for several: what one picture costs; and all that the table of targets is made of.
_GROUPS = {"pictures": tuple(_ALWAYS), "all": tuple(p for p in (*_ALWAYS, *targets.PARTS) if p in PARTS), "targets": ()}


def main() -> None:
    options = _options()
    asked = [] if options.markdown or options.charts else options.parts or ["all"]
    for part in dict.fromkeys(part for name in asked for part in _GROUPS.get(name, (name,))):
        run = _measured(part, options)
        print(table.text(Results({part: run})), flush=True)
        Results.load(options.json).with_run(part, run).save(options.json)
    results = Results.load(options.json)
    if options.charts:
        charts.write(results, ROOT / "docs/images/bench")
    if options.markdown:
        print(targets.markdown(results) + "\n" + table.markdown(results), end="")
    elif set(asked) & {"all", "targets"}:
        print(targets.text(results), end="")


def _measured(part: str, options: argparse.Namespace) -> Run:
    load, said = os.getloadavg()[0], []
    for one in PARTS[part](options):
        said.append(one)
        if isinstance(one, Row):
            print(f"{one.what}: {one.picture}", file=sys.stderr)  # how far the run is
    rows = tuple(one for one in said if isinstance(one, Row))
    curves = tuple(one for one in said if isinstance(one, Curve))
    return Run(f"{datetime.now(UTC):%Y-%m-%d}", load, machine.describe(), rows, curves)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [*PARTS, *_GROUPS]
    which = f"all: what the targets are about, also by default. pictures: {', '.join(_ALWAYS)}"
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(names)}; {which}")
    parser.add_argument("--rounds", type=int, default=7, help="pairs for each ratio (7)")
    parser.add_argument("--renders", type=int, default=100, help="in a row, for the memory (100)")
    parser.add_argument(
        "--against",
        type=Path,
        help="checkout of another build, for throughput, accepting, footprint, hostile, scale and start",
    )
    parser.add_argument("--pictures", type=int, help="for desk and scrape: fewer than 100,000, to see that it works")
    parser.add_argument("--jobs", type=int, help="for footprint (1,000) and soak (20,000)")
    parser.add_argument("--photos", type=Path, help="for bytes: a folder of JPEGs, instead of mate-backgrounds")
    kept = Path(__file__).parent / ".cache/results.json"
    parser.add_argument("--json", type=Path, default=kept, help="where the figures are (bench/.cache/results.json)")
    parser.add_argument("--markdown", action="store_true", help="measure nothing: print tables of docs/benchmarks.md")
    parser.add_argument("--charts", action="store_true", help="measure nothing: draw the charts in docs/images/bench")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(names):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return options


if __name__ == "__main__":
    main()
