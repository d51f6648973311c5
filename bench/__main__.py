"""`python -m bench [PART …]`: measures, prints the table and keeps it as JSON. A miss does not change the exit code."""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import machine
from bench.parts.database import desk, instructions, scale, scrape
from bench.parts.pipeline import call, memory, quality, raw, speed, unit_tests
from bench.parts.service import accepting, hostile, reprocess, shadow, storage, throughput, waiting
from bench.report import table
from bench.rows import Row, Run

_Part = Callable[[argparse.Namespace], Iterator[Row]]

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
    "desk": lambda options: desk.rows(options.rounds, options.pictures),
    "hostile": lambda options: hostile.rows(options.against),
    "instructions": lambda options: instructions.rows(options.rounds),
    "reprocess": lambda options: reprocess.rows(options.rounds),
    "scale": lambda options: scale.rows(options.rounds),
    "scrape": lambda options: scrape.rows(options.rounds, options.pictures),
    "shadow": lambda options: shadow.rows(options.rounds),
    "storage": lambda options: storage.rows(options.rounds),
    "throughput": lambda options: throughput.rows(options.rounds, options.against),
    "waiting": lambda options: waiting.rows(options.rounds),
}
PARTS = _ALWAYS | _BY_NAME


def main() -> None:
    options = _options()
    if options.markdown:
        print(table.markdown(Run.load(options.json)), end="")
        return
    parts = list(_ALWAYS) if "all" in options.parts else options.parts
    measured = itertools.chain.from_iterable(PARTS[part](options) for part in parts)
    run = Run(machine.describe(), tuple(map(_with_progress, measured)))
    print(table.text(run), end="")
    run.save(options.json)


def _with_progress(row: Row) -> Row:
    """Print the row, to show how far the run is."""
    print(f"{row.what}: {row.picture}", file=sys.stderr)
    return row


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    but = " and ".join(_BY_NAME)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "all"], default="all", help=f"by default all but {but}")
    parser.add_argument("--rounds", type=int, default=7, help="pairs for each ratio (7)")
    parser.add_argument("--renders", type=int, default=100, help="in a row, for the memory (100)")
    parser.add_argument("--against", type=Path, help="checkout of another build, for throughput, accepting and hostile")
    parser.add_argument("--pictures", type=int, help="for desk and scrape: fewer than 100,000, to see that it works")
    parser.add_argument("--photos", type=Path, help="for bytes: a folder of JPEGs, instead of mate-backgrounds")
    kept = Path(__file__).parent / ".cache/results.json"
    parser.add_argument("--json", type=Path, default=kept, help="where the figures go (bench/.cache/results.json)")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/benchmarks.md alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
