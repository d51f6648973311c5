import json
import sys
from argparse import ArgumentTypeError
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from media_jobs.adapters.storage import Role
from media_jobs.adapters.workspace import Workspace
from media_jobs.callers import SYSTEM
from media_jobs.errors import MediaError, StorageDenied
from media_jobs.management.progress import ProgressLines, progress
from media_jobs.management.signals import STOPPED, Stopped, stopping_cleanly
from media_jobs.management.storage_probe import StorageUnusable, probe_storage
from media_jobs.runtime.preparation import database_problem
from media_jobs.services.imports.adopting import Fate, Import, Outcome
from media_jobs.services.imports.stated_rights import COLUMNS, BadRightsFile, BadRow, StatedRights

NOT_ALL = 3
_MOST_NAMED = 20


class Command(BaseCommand):
    help = (
        "Makes originals of objects that lie in the storage already: each is read once, for its checksum and format, "
        "and gets a row; it stays where it is, unless --copy is given. What has a row is passed over, so the command "
        "may be stopped and repeated at any time. Pictures are made by “manage.py reprocess --only-missing” then. Exit "
        "code 0: all have a row; 3: some were refused, each is named; 1: it could not go on; 130: stopped by Ctrl-C."
    )

    requires_system_checks = []  # they ask for a database, and fail without a sentence where there is none

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prefix", required=True, type=_prefix, help="what the keys begin with, as in gall/")
        parser.add_argument(
            "--only",
            metavar="PATTERN",
            default="*",
            help="of these those whose whole key matches, as in '*_original.*', where smaller siblings lie beside them",
        )
        parser.add_argument(
            "--copy",
            action="store_true",
            help="copy each object to originals/, where nobody else changes it; by default it stays where it is",
        )
        parser.add_argument(
            "--rights",
            type=Path,
            metavar="CSV",
            help="whose pictures they are: a file in UTF-8 whose first line names its columns, of "
            f"{', '.join(COLUMNS)}. An object whose row is bad waits until that is repaired; all others go in",
        )
        parser.add_argument(
            "--owner", default=SYSTEM.id, help="whose images they become: a caller's id, as in key:ab12cd34 (system)"
        )
        parser.add_argument("--dry-run", action="store_true", help="tell what would be done, by the list alone")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON, on standard output")

    def handle(self, **options: Any) -> None:
        wanted = Import(**{name: options[name] for name in ("prefix", "owner", "only", "copy", "dry_run")})
        shown = progress(self.stderr, no_color=options["no_color"])
        summary = _Summary(shown, dry_run=wanted.dry_run)
        if problem := database_problem():
            raise CommandError(problem)
        try:
            probe_storage(Role.WORKER)
            with stopping_cleanly():
                _run(wanted, options["rights"], summary)
        except (StorageUnusable, BadRightsFile) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or settings.WORK_DIR}: {error.strerror or error}") from error
        except MediaError as error:
            right = f" The workers' credentials must read {wanted.prefix}*." if isinstance(error, StorageDenied) else ""
            raise CommandError(f"{error}{right} {summary.said} The same command goes on from here.") from error
        except Stopped as stopped:
            shown.say(f"Stopped. {summary.said} The same command goes on from here.")
            sys.exit(STOPPED + stopped.number)
        self._conclude(summary, wanted, as_json=options["json"])

    def _conclude(self, summary: "_Summary", wanted: Import, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(summary.as_json(), indent=2) if as_json else summary.said)
        if summary.fates[Fate.ADOPTED] and not wanted.dry_run and not as_json:
            prefix = "originals/" if wanted.copy else wanted.prefix
            self.stdout.write(f"Next: manage.py reprocess --prefix {prefix} --only-missing --workers 2")
        if summary.fates[Fate.REFUSED] or summary.bad_rows:
            sys.exit(NOT_ALL)


def _run(wanted: Import, rights_file: Path | None, summary: "_Summary") -> None:
    with ExitStack() as stack:
        stack.enter_context(summary.shown)
        workspace = Workspace(settings.WORK_DIR, f"import-{uuid4().hex}")
        stack.callback(workspace.close)
        rights = None
        if rights_file:
            rights = StatedRights(workspace.path / "rights.sqlite3")
            stack.callback(rights.close)
            for bad in rights.read(rights_file):
                summary.bad_row(bad)
        for outcome in wanted.run(workspace.path, rights):
            summary.add(outcome)
        if rights:
            summary.not_found(*rights.not_found(_MOST_NAMED))


class _Summary:
    """What was done so far. What did not go well is named as it comes, and counted."""

    def __init__(self, shown: ProgressLines, *, dry_run: bool) -> None:
        self.shown, self._dry_run = shown, dry_run
        self.fates: Counter[Fate] = Counter()
        self.bad_rows = self.rows_without_object = self.bytes = 0

    def add(self, outcome: Outcome) -> None:
        self.fates[outcome.fate] += 1
        if outcome.fate is Fate.ADOPTED:
            self.bytes += outcome.size_bytes
        if outcome.error:
            self.shown.say(f"{ascii_key(outcome.key)}: {outcome.error.code}: {outcome.error}")
        self.shown.show("objects", done=self.fates.total(), of=None, note=self.said)

    def bad_row(self, bad: BadRow) -> None:
        self.bad_rows += 1
        key = f" ({ascii_key(bad.key)})" if bad.key else ""
        self.shown.say(f"rights, line {bad.line}{key}: {bad.why}")

    def not_found(self, count: int, first: list[tuple[int, str]]) -> None:
        self.rows_without_object = count
        for line, key in first:
            self.shown.say(f"rights, line {line} ({ascii_key(key)}): there is no such object under the prefix")
        if count > len(first):
            self.shown.say(f"rights: … {count:,} such lines in all")

    @property
    def said(self) -> str:
        fates = self.fates
        would = "would be adopted" if self._dry_run else "adopted"
        return (
            f"{fates[Fate.ADOPTED]:,} {would} ({self.bytes / 1e6:,.1f} MB), {fates[Fate.KNOWN]:,} known, "
            f"{fates[Fate.REFUSED]:,} refused."
        )

    def as_json(self) -> dict[str, Any]:
        counts = {fate.value: self.fates[fate] for fate in Fate}
        return {
            **counts,
            "bytes": self.bytes,
            "badRightsRows": self.bad_rows,
            "rightsRowsWithoutObject": self.rows_without_object,
            "dryRun": self._dry_run,
        }


def ascii_key(key: str) -> str:
    """Return a key that a terminal can show, whatever somebody put into it."""
    return key if key.isprintable() else ascii(key)


def _prefix(text: str) -> str:
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise ArgumentTypeError(f"{text!r}: takes what keys begin with, as in gall/")
    return text
