"""`python -m tests.fuzz`: exit code 1 when an input found something, or a file or memory was left behind."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from media_jobs.pipeline.formats.sniff import RAW_FORMATS
from tests.fuzz.mutate import MUTATORS, recipe
from tests.fuzz.report import Report, save
from tests.fuzz.run import TIMEOUT_S, again, run

_PRINT_EVERY = 2_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=20_000, metavar="N", help="how many inputs (default: 20000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another makes other inputs (default: 1)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first input (default: 0)")
    parser.add_argument("--only", choices=MUTATORS, default="", metavar="NAME", help="damage of this kind alone")
    parser.add_argument("--raw", action="store_true", help="camera raw files alone")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_S, metavar="S", help="for each (default: 2)")
    parser.add_argument("--findings", type=Path, metavar="DIR", help="where inputs that found something are kept")
    options = parser.parse_args()
    started = time.monotonic()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        numbers = range(options.first, options.first + options.examples)
        among = RAW_FORMATS if options.raw else frozenset[str]()
        recipes = (recipe(options.seed, number, options.only, among) for number in numbers)
        for tried in run(recipes, folder, timeout_s=options.timeout):
            report.add(tried)
            _progress(report, options.examples, time.monotonic() - started)
        left = [str(path) for path in folder.rglob("*") if not path.is_dir() or path.name.startswith("decoder-")]
        took_s = time.monotonic() - started
        kept = options.findings or Path(tempfile.gettempdir()) / "gallimg-fuzz-findings"
        findings = _look_again(report, folder, kept)
    print(report.table())
    print(report.memory())
    print(f"temporary files left: {', '.join(left) or 'none'}")
    rendered, late = report.count("rendered"), report.count("render_timeout")
    crashed = report.count("decoder_crashed", "unexpected")
    print(
        f"{report.total} inputs of seed {options.seed} in {took_s:.0f} s: rendered {rendered} "
        f"refused {report.total - rendered - crashed - late} crashed {crashed} timed out {late} findings {findings}"
    )
    return 1 if findings or left or not report.memory_is_flat() else 0


def _look_again(report: Report, folder: Path, kept: Path) -> int:
    """Print the findings that are confirmed by a second run; gives their number."""
    confirmed = 0
    for found in report.findings:
        repeated = again(found, folder)
        if not repeated.is_finding:
            print(f"once only: input {found.recipe}: {found.outcome}, {found.how}")
            continue
        confirmed += 1
        print(save(repeated, kept))
    if confirmed:
        print(f"inputs are kept in {kept}")
    return confirmed


def _progress(report: Report, of: int, spent_s: float) -> None:
    done = report.total
    line = f"{done:,} of {of:,}, {done / spent_s:.0f} a second, {len(report.findings)} to look at again"
    if sys.stderr.isatty():
        print(f"\r{line}", end="" if done < of else "\r\x1b[K", file=sys.stderr, flush=True)
    elif done % _PRINT_EVERY == 0:
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
