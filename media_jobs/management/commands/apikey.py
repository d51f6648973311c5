from argparse import ArgumentTypeError
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from media_jobs.callers import SYSTEM, Scope
from media_jobs.models import ApiKey
from media_jobs.services.access import api_keys

_USUAL = (Scope.UPLOAD, Scope.READ)


class Command(BaseCommand):
    help = "Make, list and revoke the keys by which programs call the APIs."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a key and print it: the only time that it is shown")
        create.add_argument("name", type=_name, help="which program has it")
        create.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in Scope],
            help="what it is for; may be repeated; by default upload and read",
        )
        create.add_argument("--acts-for-users", action="store_true", help="X-User-ID says for whom it calls")
        create.add_argument("--expires", type=_moment, help="a number of days, as in 90d, or a date, as in 2027-01-31")
        verbs.add_parser("list", help="all keys, the newest first; never the keys themselves")
        verbs.add_parser("revoke", help="end a key for good").add_argument("prefix", help="as `list` shows it")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        {"create": self._create, "list": self._list, "revoke": self._revoke}[verb](options)

    def _create(self, options: dict[str, Any]) -> None:
        key, whole = api_keys.create(
            options["name"],
            scopes=[Scope(scope) for scope in options["scope"] or _USUAL],
            by=SYSTEM,
            acts_for_users=options["acts_for_users"],
            expires_at=options["expires"],
        )
        self.stderr.write(f"This is the key of {key}. It is shown only now.")
        self.stdout.write(whole)

    def _list(self, options: dict[str, Any]) -> None:
        rows: list[tuple[str, ...]] = [("PREFIX", "NAME", "SCOPES", "STATE", "LAST USED")]
        rows += [
            (
                key.prefix,
                key.name,
                ",".join(sorted(key.scopes)) + (" for users" if key.acts_for_users else ""),
                _state(key),
                f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
            )
            for key in ApiKey.objects.all()
        ]
        self.stdout.write("\n".join(_aligned(rows)))

    def _revoke(self, options: dict[str, Any]) -> None:
        if not api_keys.revoke(options["prefix"], by=SYSTEM):
            raise CommandError(f"There is no key with the prefix {options['prefix']!r} that holds.")
        self.stderr.write("Revoked.")


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at:
        return f"expire{'d' if key.expires_at <= timezone.now() else 's'} {key.expires_at:%Y-%m-%d}"
    return "holds"


def _aligned(rows: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _name(text: str) -> str:
    most = ApiKey._meta.get_field("name").max_length or 0
    if not 1 <= len(text.strip()) <= most:
        raise ArgumentTypeError(f"takes a name of 1 to {most} characters, by which you know the program again")
    return text.strip()


def _moment(text: str) -> datetime:
    try:
        if text.endswith("d"):
            moment = timezone.now() + timedelta(days=int(text[:-1]))
        else:
            moment = datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), UTC)  # noqa: DTZ007  (a date)
    except (ValueError, OverflowError):
        raise ArgumentTypeError("takes days, as in 90d, or a date, as in 2027-01-31") from None
    if moment <= timezone.now():
        raise ArgumentTypeError("takes a moment in the future")
    return moment
