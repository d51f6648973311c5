"""What is wanted of the service as a whole, and how far it is: the table on top of docs/benchmarks.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bench.report import table
from bench.rows import Results, Row

_HEAD = ("what", "target", "measured (lowest–highest)", "", "command")


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table. part: measures it. like: finds its rows among the part's, in what they say they are.

    A group in `like` is how rows are told apart, where there are several. target: in the plan's words; what a row is
    held against stands in the row.
    """

    what: str
    target: str
    part: str
    like: str

    def found(self, results: Results) -> Iterator[tuple[str, Row]]:
        """Its rows, each with what tells it from the others."""
        for row in results.rows(self.part):
            if match := re.search(self.like, f"{row.what}; {row.picture}"):
                yield ", ".join(filter(None, match.groups())), row


GOALS = (
    Goal(
        "steady memory after 1,000 jobs, Valkey apart",
        "≤ 120 MB",
        "footprint",
        r"^steady memory(?:, ((?:slots|a) .*))?; ",
    ),
    Goal(
        "– over the build before",
        "≤ 0.65 ×",
        "footprint",
        r"^(?:steady memory,|memory) over the other build(?:, (.*))?; ",
    ),
    Goal(
        "30 uploads of 12 MP at once in a 256 MB memory cgroup, with everything that runs",
        "0 OOM kills, all done",
        "crowd",
        r"^(files|S3): .*12 MP",
    ),
    Goal("– of 24 MP, progressive", "0 OOM kills, all done or refused for memory", "crowd", r"^(files|S3): .*24 MP"),
    Goal("accept 10 MB under that load, 95th percentile", "≤ 1 s, ≤ 2 × idle", "crowd", r"^(files|S3): accept"),
    Goal("accept a 10 MB upload on S3, against a bare put_object", "≤ 1.25 ×", "storage", r"put_object.*; 10 MB"),
    Goal("upload to done, one 10 MB photo, idle service", "≤ 0.6 s", "service", r"^upload to done, (.*); "),
    Goal(
        "pictures a second, 2 slots, against the raw pipeline in 2 processes",
        "≥ 0.90 ×",
        "throughput",
        r"^(SQLite and files|PostgreSQL and S3): pictures a second.*, as a share of two bare decoders; 12 MP",
    ),
    Goal(
        "pictures a second, against Node and sharp",
        "≥ 2 ×",
        "peers",
        r"^pictures a second of the whole.*, over (Node and sharp.*); ",
    ),
    Goal("– against Node and Jimp", "≥ 15 ×", "peers", r"^pictures a second of the whole.*, over Node and Jimp"),
    Goal(
        "– against Django, Pillow and RQ",
        "≥ 2.5 ×",
        "peers",
        r"^pictures a second of the whole.*, over (Django, Pillow and RQ.*); ",
    ),
    Goal(
        "– the most to be had: two bare decoders against them",
        "–",
        "peers",
        r"^pictures a second of two bare decoders, over (Node and sharp|Django, Pillow and RQ); ",
    ),
    Goal(
        "render step against sharp, one resize per size",
        "≥ 2.8 ×, or the proof of what bounds it",
        "speed",
        r"^render step, faster than sharp, one resize per size; (\d+ MP baseline)",
    ),
    Goal(
        "– the most to be had: sharp against one decode and four encodings, without any resizing",
        "–",
        "speed",
        r"^one decode and encoding the four outputs, faster than sharp; (\d+ MP baseline)",
    ),
    Goal(
        "bytes of full, medium and small at the SSIMULACRA2 of sharp's defaults",
        "≤ 0.90 ×",
        "bytes",
        r"^bytes.*as many as sharp's defaults",
    ),
    Goal(
        "– processor time, over what sharp takes",
        "≤ 1 ×",
        "bytes",
        r"^processor time of (making|encoding).*sharp's defaults",
    ),
    Goal(
        "small images: processor time of web, worker and queue, over the decoder's own",
        "≤ 0.5 ×",
        "throughput",
        r"^(SQLite and files|PostgreSQL and S3): .*over the decoder",
    ),
    Goal(
        "Ingestion's benchmark: 10 MB JPEG to 300 and 1920 px, stored",
        "stated",
        "service",
        r"Ingestion.*, stored in (.*); ",
    ),
    Goal("one instance, images a minute", "≥ 300", "service", r"a minute"),
    Goal("soak of 20,000 small jobs: memory for each 1,000", "≤ 1 MB", "soak", r"memory"),
    Goal("– files, descriptors and connections leaked", "0", "soak", r"^leaked (descriptors|files|connections)"),
    Goal("cold start of make run, the second time, to gallimg ready", "≤ 3 s", "start", r"ready"),
)
PARTS = tuple(dict.fromkeys(goal.part for goal in GOALS))


def text(results: Results) -> str:
    return "\n".join([*table.columns([_HEAD, *_cells(results)]), ""])


def markdown(results: Results) -> str:
    return "\n".join([*table.lines(_HEAD, _cells(results)), ""])


def _cells(results: Results) -> list[tuple[str, ...]]:
    return [_line(goal, list(goal.found(results))) for goal in GOALS]


def _line(goal: Goal, found: list[tuple[str, Row]]) -> tuple[str, ...]:
    command = f"`python -m bench {goal.part}`"
    if not found:
        return goal.what, goal.target, "not measured", "–", command
    figures = [_named(name, table.figure(row), found) for name, row in found]
    missed = [_named(name, table.verdict(row), found) for name, row in found if row.missed_by is not None]
    held = any(row.target is not None and row.measured for _, row in found)
    return goal.what, goal.target, "; ".join(figures), "; ".join(missed) or ("met" if held else "–"), command


def _named(name: str, words: str, found: list[tuple[str, Row]]) -> str:
    return f"{name}: {words}" if name and len(found) > 1 else words
