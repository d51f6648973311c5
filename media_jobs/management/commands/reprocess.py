import json
import sys
from argparse import ArgumentTypeError
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.adapters.storage import Role
from media_jobs.callers import SYSTEM
from media_jobs.errors import MediaError
from media_jobs.management import numbers
from media_jobs.management.progress import progress
from media_jobs.management.reprocessing import OwnWork, take_over
from media_jobs.management.run_text import cost_said, summary_of
from media_jobs.management.signals import STOPPED, Stopped, stopping_cleanly
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.models import ReprocessRun
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.runtime.preparation import database_problem
from media_jobs.services.runs import driving, lifecycle, selection
from media_jobs.services.runs.selection import Selection
from media_jobs.states import RunBy, RunState, Staleness

NOT_ALL, ASKS = 3, 4
#: Options that choose what a run is about: decided once, when it begins.
_CHOICE = ("prefix", "preset", "rendition", "only_missing", "only_stale", "force", "limit", "dry_run")


class Command(BaseCommand):
    help = (
        "Makes derivatives anew from the originals: those that are missing, or that would come out otherwise now, as "
        "preset, rights or engine have changed. With --workers it works by itself, beside a service or without one; "
        "with --enqueue the service's workers do it, behind uploads. New files are swapped in image by image, and old "
        "ones kept for a week: the run can be rolled back. It may be stopped at any time and goes on with --resume."
    )
    epilog = (
        "Exit codes: 0 all is done; 3 some images failed, or somebody cancelled the run; 4 the run has stopped by "
        "itself, and a person decides; 1 it could not begin; 2 wrong call; 130 paused by Ctrl-C (129 by a lost "
        "terminal, 143 by kill). A second Ctrl-C does not wait for the pictures in hand."
    )

    requires_system_checks = []  # they ask for a database, and fail without a sentence where there is none

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, epilog=self.epilog, **kwargs)
        groups = parser._action_groups
        groups.append(groups.pop(groups.index(parser._optionals)))  # what all commands have comes last
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_argument_group("who works").add_mutually_exclusive_group()
        who.add_argument("--workers", type=numbers.workers, metavar="N", help="this command, with N renders at a time")
        who.add_argument(
            "--enqueue", action="store_true", help="the service's workers, in the lane bulk; the command ends at once"
        )
        what = parser.add_argument_group("what is made")
        what.add_argument("--prefix", default="", help="only of originals whose keys begin so: originals/, gall/")
        what.add_argument("--preset", default=GALLFORMERS.name, help=f"by this preset ({GALLFORMERS.name})")
        what.add_argument(
            "--rendition", action="append", default=[], metavar="NAME", help="only this one of it; may be repeated"
        )
        what.add_argument("--only-missing", action="store_true", help="only what is not there")
        what.add_argument("--only-stale", action="store_true", help="only what would come out otherwise now")
        what.add_argument(
            "--force",
            action="store_true",
            help="also what is there and up to date, and files of which this engine is known to make nothing; with "
            "--only-missing or --only-stale only the latter are added",
        )
        what.add_argument("--limit", type=numbers.count, metavar="N", help="at most N images, the oldest first")
        how = parser.add_argument_group("how")
        how.add_argument("--dry-run", action="store_true", help="tell how many images, and what they would cost")
        how.add_argument("--resume", type=_run_id, metavar="RUN", help="go on with a run that was paused or cut off")
        how.add_argument("--json", action="store_true", help="print the summary as JSON, on standard output")

    def handle(self, **options: Any) -> None:
        self._check(options)
        if problem := database_problem():
            raise CommandError(problem)
        try:
            with stopping_cleanly():
                code = self._run(options)
        except (DecoderUnusable, StorageUnusable, MediaError) as error:
            raise CommandError(str(error)) from error
        except Stopped as stopped:  # before there were workers, or after them
            self.stderr.write("Stopped.")
            code = STOPPED + stopped.number
        if code:
            sys.exit(code)

    def _run(self, options: dict[str, Any]) -> int:
        if options["dry_run"]:
            return self._tell_cost(options)
        if options["workers"]:
            selftest(settings.SANDBOX_MEMORY_BYTES, settings.WORK_DIR)
            probe_storage(Role.WORKER)
        run = self._begun(options)
        return self._work(run, options) if options["workers"] else self._leave_to_workers(run, options)

    def _check(self, options: dict[str, Any]) -> None:
        if not (options["workers"] or options["enqueue"] or options["dry_run"]):
            raise CommandError(
                "Say who is to work: --workers 2, or --enqueue. --dry-run tells what it would cost.", returncode=2
            )
        given = [f"--{name.replace('_', '-')}" for name in _CHOICE if options[name] not in ("", [], False, None)]
        if options["preset"] == GALLFORMERS.name:
            given.remove("--preset")
        if options["resume"] and given:
            raise CommandError(
                f"--resume goes on with what the run is about: leave out {', '.join(given)}.", returncode=2
            )

    def _tell_cost(self, options: dict[str, Any]) -> int:
        draft = _draft(options)
        cost = draft.estimate or {}
        ReprocessRun.objects.filter(pk=draft.pk).delete()
        self.stdout.write(json.dumps(cost, indent=2) if options["json"] else cost_said(cost))
        return 0

    def _begun(self, options: dict[str, Any]) -> ReprocessRun:
        """The run, which this command holds where it works by itself."""
        by = RunBy.COMMAND if options["workers"] else RunBy.WORKERS
        holder = driving.name() if options["workers"] else ""
        if options["resume"]:
            try:
                return take_over(options["resume"], holder=holder, by=by, shown=self.stderr.write)
            except ReprocessRun.DoesNotExist:
                raise CommandError(f"There is no run {options['resume']}.") from None
        draft = _draft(options)
        self.stderr.write(f"Run {draft.pk}: {cost_said(draft.estimate or {})}")
        return lifecycle.confirm(draft.pk, actor=SYSTEM, worker=holder)

    def _work(self, run: ReprocessRun, options: dict[str, Any]) -> int:
        with progress(self.stderr, no_color=options["no_color"]) as shown:
            work = OwnWork(run, renders=options["workers"], holder=driving.name(), shown=shown)
            run = work.until_over()
        self.stderr.ending = "\n"
        self._summarize(run, options)
        if run.state in (RunState.PAUSED, RunState.PAUSING, RunState.INTERRUPTED, RunState.RUNNING):
            why = "Stopped." if work.stopped_by else run.detail
            self.stderr.write(f"{why} Go on: manage.py reprocess --resume {run.pk} --workers {options['workers']}")
            return STOPPED + work.stopped_by if work.stopped_by else ASKS
        return NOT_ALL if run.failed or run.state == RunState.CANCELLED else 0

    def _leave_to_workers(self, run: ReprocessRun, options: dict[str, Any]) -> int:
        if options["json"]:
            self._summarize(run, options)
        else:
            self.stdout.write(f"Run {run.pk} is with the service's workers; the admin shows how far it is.")
        return 0

    def _summarize(self, run: ReprocessRun, options: dict[str, Any]) -> None:
        summary = summary_of(run)
        if options["json"]:
            self.stdout.write(json.dumps(summary, indent=2))
            return
        self.stdout.write(
            f"Run {run.pk} {run.state}: {run.done:,} done, {run.skipped:,} skipped, {run.failed:,} failed, "
            f"{run.left:,} left."
        )
        for state in ("failed", "skipped"):
            for code, count in summary["codes"][state].items():
                self.stdout.write(f"  {state}: {count:,} × {code}")


def _draft(options: dict[str, Any]) -> ReprocessRun:
    """The run as it would begin. Raises UnknownPreset, BadRequest."""
    some = options["only_missing"] or options["only_stale"]
    everything = options["force"] and not some
    chosen = Selection(
        prefix=options["prefix"],
        missing=not everything and (options["only_missing"] or not some),
        stale=tuple(Staleness) if not everything and (options["only_stale"] or not some) else (),
        refused=options["force"],
    )
    how: dict[str, Any] = {"owner": SYSTEM, "preset": options["preset"], "renditions": options["rendition"]}
    how["by"] = RunBy.COMMAND if options["workers"] else RunBy.WORKERS
    run = lifecycle.create(selection=chosen, **how)
    if options["limit"] is None:
        return run
    oldest = selection.images(run).order_by("pk").values_list("pk", flat=True)
    limited = lifecycle.create(selection=chosen, image_ids=islice(oldest.iterator(), options["limit"]), **how)
    ReprocessRun.objects.filter(pk=run.pk).delete()
    return limited


def _run_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r}: takes the id of a run, as the command printed it") from None
