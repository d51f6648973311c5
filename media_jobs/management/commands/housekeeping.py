import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from media_jobs.adapters import database
from media_jobs.management.progress import log_to
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import TASKS, Finding, Observer, Outcome, Task

#: How long to wait for a worker that is doing a task: longer than the lease of one that was cut off.
_WAIT_S = 75
_LINE_EVERY_S = 5
#: With fewer columns the summary has no room for explanations.
_WIDE = 80
_MOST_MINUTES = 10 * 365 * 24 * 60


class Command(BaseCommand):
    help = (
        "Repairs what died: expired leases, unfinished uploads, objects that no row names. "
        "Workers do it by themselves; by hand everything is done at once, due or not. Exit code 1: a task failed."
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
            metavar="TASK",
            choices=[task.name for task in TASKS],
            help="of these: " + "; ".join(f"{task.name} ({task.about})" for task in TASKS),
        )

    def handle(self, **options: Any) -> None:
        if options["dry_run"] and not database.is_made():
            raise CommandError("There is no database yet, so there is nothing to repair. “manage.py migrate” makes it.")
        self.stdout.ending = ""  # rich ends its lines itself
        console = Console(file=cast(IO[str], self.stdout), no_color=options["no_color"] or None, highlight=False)
        chosen = [task for task in TASKS if not options["only"] or task.name in options["only"]]
        minutes = options["older_than"]
        with _observer(console, listing=options["dry_run"] or options["verbosity"] > 1) as observer:
            outcomes = housekeeping.run(
                older_than=None if minutes is None else timedelta(minutes=minutes),
                only=chosen,
                dry_run=options["dry_run"],
                wait_s=_WAIT_S,
                observer=observer,
            )
        console.print(_summary(outcomes, dry_run=options["dry_run"], wide=console.width >= _WIDE))
        _conclude(console, outcomes)


class _Lines(Observer):
    """Prints a line every few seconds, as into a log.

    listing: each finding has a line, too.
    """

    def __init__(self, console: Console, *, listing: bool) -> None:
        self.console, self.listing = console, listing
        self._last_line_at = time.monotonic()
        self._examined = self._repaired = 0

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None: ...

    def waiting(self, task: Task, worker: str) -> None:
        self._say(f"{task.name}: {worker} is doing it; waiting up to {_WAIT_S} seconds")

    def started(self, task: Task) -> None:
        self._examined = self._repaired = 0

    def examined(self, task: Task, count: int) -> None:
        self._examined += count
        self._progress(task)

    def found(self, task: Task, findings: list[Finding]) -> None:
        if self.listing:
            for finding in findings:
                self._say(f"{task.name}: {finding.description}")

    def repaired(self, task: Task, count: int) -> None:
        self._repaired += count
        self._progress(task)

    def _progress(self, task: Task) -> None:
        if time.monotonic() - self._last_line_at >= _LINE_EVERY_S:
            self._say(f"{task.name}: {_so_far(self._examined, self._repaired)}")

    def _say(self, line: str) -> None:
        self._last_line_at = time.monotonic()
        self.console.print(Text(line), soft_wrap=True)


class _Bar(_Lines):
    """Shows a progress bar in a terminal, and removes it at the end."""

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
        self._row: TaskID | None = None

    def __enter__(self) -> "_Bar":
        self._bar.start()
        log_to(sys.stderr)  # which is the bar's now: lines of the log go above it
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        log_to(sys.stderr)

    def started(self, task: Task) -> None:
        super().started(task)
        if self._row is not None:
            self._bar.remove_task(self._row)
        self._row = self._bar.add_task(task.name, total=None, so_far="")

    def _progress(self, task: Task) -> None:
        if self._row is not None:
            self._bar.update(self._row, so_far=_so_far(self._examined, self._repaired))


def _observer(console: Console, *, listing: bool) -> _Lines:
    return _Bar(console, listing=listing) if console.is_terminal else _Lines(console, listing=listing)


def _so_far(examined: int, repaired: int) -> str:
    counts = [f"{examined:,} looked at" if examined else "", f"{repaired:,} repaired" if repaired else ""]
    return ", ".join(filter(None, counts))


def _summary(outcomes: list[Outcome], *, dry_run: bool, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("task", no_wrap=True)
    table.add_column("found", justify="right", no_wrap=True)
    table.add_column("would repair" if dry_run else "repaired", justify="right", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for outcome in outcomes:
        repaired = outcome.found if dry_run else outcome.repaired
        counts = (f"{outcome.found:,}", f"{repaired:,}", f"{outcome.took_s:.1f} s")
        style = "" if outcome.found else "dim"
        note = outcome.task.about if wide else ""
        if outcome.error:
            style, note = "red", outcome.error
        elif outcome.lease_holder:
            style, note, counts = "yellow", f"skipped: {outcome.lease_holder} is doing it", ("–", "–", "–")
        table.add_row(outcome.task.name, *counts, Text(note), style=style)
    return table


def _conclude(console: Console, outcomes: list[Outcome]) -> None:
    """Say what to do next. Raises CommandError where a task failed."""
    if skipped := [outcome.task.name for outcome in outcomes if outcome.lease_holder]:
        again = f"manage.py housekeeping --only {' '.join(skipped)}"
        console.print(Text(f"Skipped tasks are being done by others. Should they have died: {again}, in ten minutes."))
    if failed := [outcome.task.name for outcome in outcomes if outcome.error]:
        all_failed = len(failed) == len(outcomes)
        what = "Every task" if all_failed else f"{len(failed)} of {len(outcomes)} tasks"
        these = "" if all_failed else f" --only {' '.join(failed)}"
        raise CommandError(
            f"{what} failed{'' if all_failed else ': ' + ', '.join(failed)}. Nothing is lost by that. "
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
