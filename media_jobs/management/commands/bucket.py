import dataclasses
import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeVar, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from media_jobs.services import bucket
from media_jobs.services.bucket import BucketError, Finding, Item, State, Verdict

_Row = TypeVar("_Row", Item, Finding)

_POLICIES = ("web", "read", "worker", "admin", "bucket", "cdn", "legacy")
_STYLES = {
    State.THERE: "green",
    State.MADE: "bold green",
    State.WANTED: "yellow",
    State.FAILED: "red",
    Verdict.THERE: "green",
    Verdict.MISSING: "red",
    Verdict.EXCESS: "red",
    Verdict.UNKNOWN: "yellow",
    Verdict.HINT: "yellow",
}


class Command(BaseCommand):
    help = "The S3 bucket: set it up, check who may do what in it, print the policies. See docs/storage.md."
    requires_system_checks = []  # it asks the bucket only

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="setup|check|policy")
        setup = actions.add_parser("setup", help="make what is missing, and change nothing else")
        setup.add_argument(
            "--public",
            action="store_true",
            help="let everybody read derivatives from the bucket itself. Without it the bucket is closed, and a CDN "
            "reads them by the policy that is printed",
        )
        setup.add_argument("--dry-run", action="store_true", help="tell what would be made, and make nothing")
        check = actions.add_parser(
            "check",
            help="try every permission of all credentials, and of everybody. Exit code 1: not as it should be",
        )
        policy = actions.add_parser("policy", help="print the policies as JSON, ready to paste")
        policy.add_argument("name", nargs="?", choices=_POLICIES, help="this one alone, and nothing but JSON")
        for action in (setup, check, policy):
            action.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        self.stdout.ending = ""  # rich ends its lines itself
        out = cast(IO[str], self.stdout)
        console = Console(file=out, no_color=options["no_color"] or None, highlight=False)
        actions: dict[str, Callable[..., None]] = {"setup": _setup, "check": _check, "policy": _policy}
        try:
            actions[options["action"]](console, options)
        except BucketError as error:
            raise CommandError(str(error)) from error


def _policy(console: Console, options: dict[str, Any]) -> None:
    documents = {document.name: document for document in bucket.documents()}
    if options["name"]:
        if options["name"] not in documents:
            raise BucketError("LEGACY_S3_BUCKET is not set: no site has its pictures in another bucket.")
        _print_json(console, documents[options["name"]].content)
    elif options["json"]:
        _print_json(console, {name: document.content for name, document in documents.items()})
    else:
        for name, document in documents.items():
            console.print(Text(f"{name} – {document.title}", style="bold"), soft_wrap=True)
            _print_json(console, document.content)
            console.print()


def _setup(console: Console, options: dict[str, Any]) -> None:
    found = bucket.setup(public=options["public"], dry_run=options["dry_run"])
    if not options["json"]:
        console.print(Text(f"With {bucket.run_as()}:"), soft_wrap=True)
    items = _print_rows(console, found, as_json=options["json"])
    if failed := [item.name for item in items if item.state is State.FAILED]:
        raise CommandError(
            f"Failed: {', '.join(failed)}. “manage.py bucket policy admin” prints the rights that this takes. "
            "It may be repeated: what is there stays as it is."
        )
    if options["json"]:
        return
    if not options["public"]:
        console.print()
        console.print(
            Text(
                "Derivatives are for a CDN to read, not for everybody (that is --public). For CloudFront with an "
                "origin access control, add this to the bucket's policy, with your ACCOUNT_ID and DISTRIBUTION_ID, and "
                "set CDN_BASE_URL:"
            ),
            soft_wrap=not console.is_terminal,
        )
        _print_json(console, next(document.content for document in bucket.documents() if document.name == "cdn"))
    if any(item.state is State.WANTED for item in items):
        console.print(Text("Nothing was made: a dry run."))


def _check(console: Console, options: dict[str, Any]) -> None:
    findings = _print_rows(console, bucket.check(), as_json=options["json"])
    bad = [finding for finding in findings if not finding.is_good]
    if not bad:
        if not options["json"]:
            console.print(Text("All is there, and nothing is more than needed.", style="bold green"))
        return
    counts = {verdict: sum(finding.verdict is verdict for finding in bad) for verdict in Verdict}
    summary = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    raise CommandError(
        f"{summary}. “manage.py bucket policy” prints what credentials need; "
        "“manage.py bucket setup” makes what the bucket lacks."
    )


def _print_rows(console: Console, rows: Iterator[_Row], *, as_json: bool) -> list[_Row]:
    """Print each row once it is known: in columns on a terminal, as a whole line in a pipe. Returns them all."""
    seen: list[_Row] = []
    for row in rows:
        if not as_json:
            _print_row(console, row, heading=not seen or _cells(seen[-1])[0] != _cells(row)[0])
        seen.append(row)
    if as_json:
        _print_json(console, [dataclasses.asdict(row) for row in seen])
    return seen


def _print_row(console: Console, row: Item | Finding, *, heading: bool) -> None:
    who, what, outcome, note = _cells(row)
    if not console.is_terminal:
        line = f"{who:<7} {what:<26} {outcome:<16} {note}" if who else f"{what:<20} {outcome:<16} {note}"
        console.print(Text(line.rstrip()), soft_wrap=True)
        return
    if heading and who:
        console.print(Text(who, style="bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=28 if who else 20)
    table.add_column(width=16, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(f"  {what}" if who else what, Text(outcome, style=_STYLES.get(outcome, "dim")), Text(note))
    console.print(table)


def _cells(row: Item | Finding) -> tuple[str, str, State | Verdict, str]:
    """Return who, what, the outcome, and a note."""
    if isinstance(row, Item):
        return ("", row.name, row.state, row.note)
    return (row.who, row.what, row.verdict, row.note)


def _print_json(console: Console, content: Any) -> None:
    console.print(Text(json.dumps(content, indent=2, ensure_ascii=False)), soft_wrap=True)
