import logging
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import IO, Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import PARTS, Find, Outcome, Part, Watch

#: How long to wait for a worker that does a part at this moment: longer than one that was cut off keeps it.
_PATIENCE_S = 75
_LINE_EVERY_S = 5
#: With fewer columns the summary has no room for explanations.
_WIDE = 80
_MOST_MINUTES = 10 * 365 * 24 * 60


class Command(BaseCommand):
    help = (
        "Mends what died: expired leases, forgotten jobs, unfinished uploads, objects that no row wants. "
        "Workers do it by themselves; by hand everything is done at once, due or not. Exit code 1: a part failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list what would be repaired, and change nothing")
        parser.add_argument(
            "--older-than",
            type=_minutes,
            metavar="MINUTES",
            help="age from which uploads, writes and files that nobody finished are removed (default: 30). "
            "0 removes whatever is not wanted at once: uploads under way fail, and stored objects without a row go now "
            "instead of after seven days. For tests, and for a service that rests",
        )
        parser.add_argument(
            "--only",
            nargs="+",
            action="extend",
            metavar="PART",
            choices=[part.name for part in PARTS],
            help="of these: " + "; ".join(f"{part.name} ({part.about})" for part in PARTS),
        )

    def handle(self, **options: Any) -> None:
        self.stdout.ending = ""  # rich ends its lines itself
        console = Console(file=cast(IO[str], self.stdout), no_color=options["no_color"] or None, highlight=False)
        chosen = [part for part in PARTS if not options["only"] or part.name in options["only"]]
        minutes = options["older_than"]
        with _watch(console, listing=options["dry_run"] or options["verbosity"] > 1) as watch:
            outcomes = housekeeping.run(
                older_than=None if minutes is None else timedelta(minutes=minutes),
                only=chosen,
                dry_run=options["dry_run"],
                patience_s=_PATIENCE_S,
                watch=watch,
            )
        console.print(_summary(outcomes, dry_run=options["dry_run"], wide=console.width >= _WIDE))
        _conclude(console, outcomes)


class _Lines(Watch):
    """Tells a log how far it is: a line every few seconds.

    listing: every find has a line, too.
    """

    def __init__(self, console: Console, *, listing: bool) -> None:
        self.console, self.listing = console, listing
        self._told = time.monotonic()
        self._looked = self._repaired = 0

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None: ...

    def waiting(self, part: Part, worker: str) -> None:
        self._say(f"{part.name}: {worker} is at it; waiting up to {_PATIENCE_S} seconds")

    def started(self, part: Part) -> None:
        self._looked = self._repaired = 0

    def looked(self, part: Part, count: int) -> None:
        self._looked += count
        self._progress(part)

    def found(self, part: Part, finds: list[Find]) -> None:
        if self.listing:
            for find in finds:
                self._say(f"{part.name}: {find.what}")

    def repaired(self, part: Part, count: int) -> None:
        self._repaired += count
        self._progress(part)

    def _progress(self, part: Part) -> None:
        if time.monotonic() - self._told >= _LINE_EVERY_S:
            self._say(f"{part.name}: {_so_far(self._looked, self._repaired)}")

    def _say(self, line: str) -> None:
        self._told = time.monotonic()
        self.console.print(Text(line), soft_wrap=True)


class _Bar(_Lines):
    """Shows a terminal how far it is; gone at the end."""

    def __init__(self, console: Console, *, listing: bool) -> None:
        super().__init__(console, listing=listing)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[so_far]}"),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True, expand=True)
        self._task: TaskID | None = None

    def __enter__(self) -> "_Bar":
        self._bar.start()
        _log_to(sys.stderr)  # which is the bar's now: lines of the log go above it
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        _log_to(sys.stderr)

    def started(self, part: Part) -> None:
        super().started(part)
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(part.name, total=None, so_far="")

    def _progress(self, part: Part) -> None:
        if self._task is not None:
            self._bar.update(self._task, so_far=_so_far(self._looked, self._repaired))


def _log_to(stream: TextIO) -> None:
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(stream)


def _watch(console: Console, *, listing: bool) -> _Lines:
    return _Bar(console, listing=listing) if console.is_terminal else _Lines(console, listing=listing)


def _so_far(looked: int, repaired: int) -> str:
    told = [f"{looked:,} looked at" if looked else "", f"{repaired:,} repaired" if repaired else ""]
    return ", ".join(filter(None, told))


def _summary(outcomes: list[Outcome], *, dry_run: bool, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("part", no_wrap=True)
    table.add_column("found", justify="right", no_wrap=True)
    table.add_column("would repair" if dry_run else "repaired", justify="right", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for outcome in outcomes:
        style = "red" if outcome.error else "yellow" if outcome.doer else "" if outcome.found else "dim"
        about = outcome.part.about if wide else ""
        note = outcome.error or (f"skipped: {outcome.doer} is at it" if outcome.doer else about)
        repaired = outcome.found if dry_run else outcome.repaired
        counts = ("–", "–", "–") if outcome.doer else (f"{outcome.found:,}", f"{repaired:,}", f"{outcome.took_s:.1f} s")
        table.add_row(outcome.part.name, *counts, Text(note), style=style)
    return table


def _conclude(console: Console, outcomes: list[Outcome]) -> None:
    """Raises CommandError where a part failed; says what to do next."""
    if skipped := [outcome.part.name for outcome in outcomes if outcome.doer]:
        again = f"manage.py housekeeping --only {' '.join(skipped)}"
        console.print(Text(f"Skipped parts are being done by others. Should they have died: {again}, in ten minutes."))
    if failed := [outcome.part.name for outcome in outcomes if outcome.error]:
        all_of_them = len(failed) == len(outcomes)
        what = "Every part" if all_of_them else f"{len(failed)} of {len(outcomes)} parts"
        these = "" if all_of_them else f" --only {' '.join(failed)}"
        raise CommandError(
            f"{what} failed{'' if all_of_them else ': ' + ', '.join(failed)}. Nothing is lost by that. "
            f"Once the cause is repaired workers do it by themselves, or you: manage.py housekeeping{these}"
        )


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1
    if not 0 <= minutes <= _MOST_MINUTES:
        raise ArgumentTypeError(f"{text!r} is not a number of minutes; 0 or more, up to ten years")
    return minutes
