"""`python -m tests.fuzz.walkers`: damaged raw files through our own tables of layouts, without a decoder.

Exit code 1 when one gave an exception that is no answer, a preview outside of its file, or read too much of it.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from media_jobs import errors
from media_jobs.pipeline.formats.common import Damaged
from media_jobs.pipeline.formats.sniff import RAW_FORMATS
from media_jobs.pipeline.raw import choice
from media_jobs.pipeline.raw.named import MAX_PREVIEWS
from tests.formats.counted import Counted
from tests.fuzz.mutate import Recipe, recipe

#: Seeds have a few kilobytes; each is surrounded by so many that nobody has a reason to read.
_PADDING_BYTES = 1_048_576
_MOST_LOOKED_AT = 8 * 1_048_576
_MOST_S = 0.5


@dataclass
class Walked:
    """Outcomes by format, findings, and the most that an input took."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    findings: list[str] = field(default_factory=list)
    looked_at: int = 0
    seconds: float = 0.0

    def add(self, tried: Recipe, padding: bytes) -> None:
        data = Counted(tried.make() + padding)
        started = time.perf_counter()
        outcome, how = _outcome(data, tried.format)
        took_s = time.perf_counter() - started
        self.outcomes[tried.format][outcome] += 1
        self.looked_at, self.seconds = max(self.looked_at, data.looked_at), max(self.seconds, took_s)
        if data.looked_at > _MOST_LOOKED_AT or took_s > _MOST_S:
            how = f"looked at {data.looked_at:,} bytes in {took_s:.2f} s"
        if how:
            self.findings.append(f"{tried}: {how}")


def _outcome(data: Counted, kind: str) -> tuple[str, str]:
    """What became of a file, and what is wrong with that, if anything."""
    try:
        listing = choice.listing(data, kind)
        found = choice.whole_previews(data, listing)
    except errors.ImageRefused as refusal:
        return refusal.code, ""
    except Damaged:
        return "damaged", ""
    except Exception as error:  # noqa: BLE001  (that is a finding)
        return "unexpected", f"{type(error).__name__}: {error}"
    inside = all(0 < start < end <= len(data) for whole in found for start, end in whole.named.extents)
    sound = all(min(whole.size_px) > 0 and b"".join(whole.chunks(data))[:3] == b"\xff\xd8\xff" for whole in found)
    wrong = "" if inside and sound and len(listing.previews) <= MAX_PREVIEWS else "a preview that is none"
    return ("found" if found else "nothing"), wrong


def walk(seed: int, numbers: range) -> Walked:
    """Damaged files of those numbers, every eighth with much behind their end."""
    walked = Walked()
    for number in numbers:
        walked.add(recipe(seed, number, among=RAW_FORMATS), bytes(_PADDING_BYTES) if number % 8 == 0 else b"")
    return walked


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.walkers", description=__doc__)
    parser.add_argument("--examples", type=int, default=20_000, metavar="N", help="how many inputs (default: 20000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another makes other inputs (default: 1)")
    options = parser.parse_args()
    started = time.monotonic()
    walked = walk(options.seed, range(options.examples))
    for name, counts in sorted(walked.outcomes.items()):
        print(f"{name:<7} {counts.total():>7,}  " + ", ".join(f"{what} {n:,}" for what, n in counts.most_common()))
    for finding in walked.findings:
        print(finding)
    print(
        f"{options.examples} inputs of seed {options.seed} in {time.monotonic() - started:.0f} s, of one at most "
        f"{1000 * walked.seconds:.1f} ms and {walked.looked_at:,} bytes: findings {len(walked.findings)}"
    )
    return 1 if walked.findings else 0


if __name__ == "__main__":
    sys.exit(main())
