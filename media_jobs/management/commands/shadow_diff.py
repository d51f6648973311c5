import json
import sys
from argparse import ArgumentTypeError
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.adapters.storage import Role
from media_jobs.errors import MediaError
from media_jobs.library import scoreboard
from media_jobs.management import numbers
from media_jobs.management.comparing import Comparison
from media_jobs.management.progress import progress
from media_jobs.management.run_text import duration
from media_jobs.management.signals import STOPPED, Stopped, stopping_cleanly
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.pipeline.compare.values import Verdict
from media_jobs.runtime.preparation import database_problem
from media_jobs.services.cutover import again, comparing, holding
from media_jobs.services.cutover.holding import Choice

SOME_WORSE = 3


class Command(BaseCommand):
    help = (
        "Compares the pictures of a live site with those that this service made of the same uploads: all shadows that "
        "are due, with processes of its own, beside the service's workers, which do the same when they have nothing "
        "else to do. It may be stopped at any time, and goes on where it was when it is called again."
    )
    epilog = (
        "Exit codes: 0 all that was due is compared, and nothing is worse; 3 something is worse, or could not be "
        "compared; 1 it could not begin; 2 wrong call; 130 stopped by Ctrl-C (129 by a lost terminal, 143 by kill). A "
        "second Ctrl-C does not wait for the pictures in hand."
    )

    requires_system_checks = []  # they ask for a database, and fail without a sentence where there is none

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=self.epilog, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--workers", type=numbers.workers, default=2, metavar="N", help="N comparisons at a time (2)"
        )
        parser.add_argument("--limit", type=numbers.count, metavar="N", help="at most N, the oldest first")
        parser.add_argument(
            "--since", type=_moment, metavar="WHEN", help="only what was written since then: 7d, 12h, 2026-11-24"
        )
        parser.add_argument("--again", action="store_true", help="also what has been compared, or could not be")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON, on standard output")

    def handle(self, **options: Any) -> None:
        if problem := database_problem():
            raise CommandError(problem)
        if not comparing.is_possible():
            raise CommandError("Comparing needs scikit-image: pip install -r requirements-shadow.txt")
        try:
            with stopping_cleanly():
                selftest(settings.SANDBOX_MEMORY_BYTES, settings.WORK_DIR)
                probe_storage(Role.WORKER)
                code = self._compare(options)
        except (DecoderUnusable, StorageUnusable, MediaError) as error:
            raise CommandError(str(error)) from error
        except Stopped as stopped:  # before there were workers, or after them
            self.stderr.write("Stopped.")
            code = STOPPED + stopped.number
        if code:
            sys.exit(code)

    def _compare(self, options: dict[str, Any]) -> int:
        holding.note_ends()
        choice = replace(holding.TO_COMPARE, since=options["since"])
        if options["limit"]:
            choice = _limited(choice, options["limit"], also_over=options["again"])
        if options["again"]:
            again.compare_again(choice)
        with progress(self.stderr, no_color=options["no_color"]) as shown:
            work = Comparison(choice, workers=options["workers"], shown=shown)
            work.until_over()
        self.stderr.ending = "\n"
        summary = work.summary()
        self.stdout.write(json.dumps(summary, indent=2) if options["json"] else _told(summary))
        if work.stopped_by:
            self.stderr.write("Stopped. The same command goes on from here, without --again.")
            return STOPPED + work.stopped_by
        return SOME_WORSE if summary["verdicts"].get(Verdict.WORSE) or summary["failed"] else 0


def _limited(choice: Choice, limit: int, *, also_over: bool) -> Choice:
    """The oldest so many of what is chosen."""
    found = choice.waiting() | again.over(choice) if also_over else choice.waiting()
    newest = list(found.order_by("pk").values_list("pk", flat=True)[limit - 1 : limit])
    return replace(choice, newest=newest[0]) if newest else choice


def _told(summary: dict[str, Any]) -> str:
    lines = [f"{summary['compared']:,} compared in {duration(summary['seconds'])}, {summary['perSecond']} a second"]
    lines += [f"  {verdict:<10}{summary['verdicts'].get(verdict, 0):>8,}" for verdict in Verdict]
    lines += [f"    {reason}: {count:,}" for reason, count in summary["reasons"].items() if reason != "same: alike"]
    if summary["failed"]:
        lines.append(f"{summary['failed']:,} cannot be compared; the admin says why.")
    if summary["waiting"]:
        lines.append(f"{summary['waiting']:,} wait for their job, for the site's files, or for another try.")
    board = scoreboard.read()
    lines.append(
        f"The last 7 days: {board.errors:,} of {board.judged:,} are worse ({board.rate:.2%}); with 95 % confidence "
        f"{board.low:.2%} to {board.high:.2%}, {board.limit:.2%} is allowed."
    )
    if board.thin:
        lines.append(f"{board.needed:,} more without an error are needed to be sure of that.")
    return "\n".join(lines)


def _moment(text: str) -> datetime:
    units = {"d": "days", "h": "hours"}
    if text[:-1].isascii() and text[:-1].isdigit() and text[-1:] in units and len(text) < 6:
        return timezone.now() - timedelta(**{units[text[-1]]: int(text[:-1])})
    try:
        moment = parse_datetime(text) or parse_date(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"{text!r}: takes days or hours, as in 7d or 12h, or a date, as in 2026-11-24")
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001  (made aware below)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
