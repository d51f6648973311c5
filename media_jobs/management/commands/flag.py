from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from media_jobs.callers import SYSTEM
from media_jobs.errors import MediaError, RampRefused
from media_jobs.models import FeatureFlag, FlagChange
from media_jobs.services.flags import changing, evaluation, guard, shares

_ENDS = """exit codes: 0 done; of `check` also: on. 1: `check` says off. 2: it was not done, and the message says why.
3: the guard refused it; `--force --reason …` does it nevertheless."""
_OFF, _NOT_DONE, _REFUSED = 1, 2, 3
_SHOWN = 10


class Command(BaseCommand):
    help = "Look at feature flags, and change them."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=_ENDS, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all flags")
        show = verbs.add_parser("show", help="a flag, what its guard says, and who changed it lately")
        check = verbs.add_parser("check", help="whether a flag is on for a key, and why")
        create = verbs.add_parser("create", help="make a flag, which is off")
        change = verbs.add_parser("set", help="change a flag")
        for verb in (show, check, create, change):
            verb.add_argument("name", help="of the flag")
        check.add_argument("key", help="as the web tier sends it")
        create.add_argument("--description", default="", help="what is on where it is on")
        create.add_argument("--unguarded", action="store_true", help="raised whatever the comparison says")
        change.add_argument("--percent", help="for how many of a hundred keys it is on, such as 5 or 1.25")
        switch = change.add_mutually_exclusive_group()
        switch.add_argument("--on", dest="enabled", action="store_true", default=None, help="for that percentage")
        switch.add_argument("--off", dest="enabled", action="store_false", help="for everybody")
        for option, about in (("allow", "on for this key at any percentage"), ("deny", "off for this key, whatever")):
            change.add_argument(f"--{option}", metavar="KEY", action="append", default=[], help=about)
        change.add_argument("--unlist", metavar="KEY", action="append", default=[], help="on neither list any more")
        change.add_argument("--force", action="store_true", help="though the guard refuses; takes --reason")
        change.add_argument("--reason", default="", help="why, for the history")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        do = {"list": self._list, "show": self._show, "check": self._check, "create": self._create, "set": self._set}
        try:
            do[verb](options)
        except RampRefused as error:
            raise CommandError(str(error), returncode=_REFUSED) from error
        except MediaError as error:
            raise CommandError(str(error), returncode=_NOT_DONE) from error

    def _list(self, options: dict[str, Any]) -> None:
        for flag in FeatureFlag.objects.all():
            self.stdout.write(f"{flag}: {_state(flag)}")

    def _show(self, options: dict[str, Any]) -> None:
        flag = evaluation.find(options["name"])
        lines = [f"{flag}: {_state(flag)}", flag.description, *_listed("allowed", flag.allow)]
        lines += [*_listed("denied", flag.deny)]
        if flag.guarded:
            lines.append(f"the guard: {guard.opinion().why}")
        lines += [_line(change) for change in flag.changes.all()[:_SHOWN]]
        self.stdout.write("\n".join(filter(None, lines)))

    def _check(self, options: dict[str, Any]) -> None:
        key = options["key"]
        if not evaluation.is_key(key):
            raise CommandError(f"A key is a text of at most {evaluation.LONGEST_KEY} characters.", returncode=_NOT_DONE)
        said = evaluation.answer(evaluation.find(options["name"]), key)
        bucket = f"bucket {evaluation.bucket(said.flag.name, key):,} of 10,000"
        self.stdout.write(
            f"{'on' if said.enabled else 'off'}: {said.why}, {bucket}; {said.flag} is {_state(said.flag)}"
        )
        if not said.enabled:
            raise SystemExit(_OFF)

    def _create(self, options: dict[str, Any]) -> None:
        flag = changing.create(
            options["name"], description=options["description"], guarded=not options["unguarded"], actor=SYSTEM
        )
        self.stdout.write(f"{flag}: {_state(flag)}")

    def _set(self, options: dict[str, Any]) -> None:
        before = evaluation.find(options["name"])
        flag = changing.change(
            before.name,
            _wanted(before, options),
            actor=SYSTEM,
            version=before.version,
            reason=options["reason"],
            force=options["force"],
        )
        unchanged = "" if flag.version != before.version else " (as it was)"
        self.stdout.write(f"{flag}: {_state(flag)}{unchanged}")


def _wanted(flag: FeatureFlag, options: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be different, by fields."""
    wanted: dict[str, Any] = {}
    if options["percent"] is not None:
        wanted["basis_points"] = shares.parse(options["percent"])
    if options["enabled"] is not None:
        wanted["enabled"] = options["enabled"]
    for name, former in (("allow", flag.allow), ("deny", flag.deny)):
        if not all(map(str.strip, options[name])):
            raise CommandError(f"--{name} takes a key: the empty one is on no list.", returncode=_NOT_DONE)
        if options[name] or options["unlist"]:
            wanted[name] = [key for key in [*former, *options[name]] if key not in options["unlist"]]
    return wanted


def _state(flag: FeatureFlag) -> str:
    words = [f"{'on' if flag.enabled else 'off'} at {shares.percent(flag.basis_points)} %"]
    words += ["guarded"] if flag.guarded else []
    words += [f"fell back {flag.fell_back_at:%Y-%m-%d %H:%M} UTC"] if flag.fell_back_at else []
    words += [f"forced {flag.forced_at:%Y-%m-%d %H:%M} UTC"] if flag.forced_at else []
    return ", ".join(words)


def _listed(word: str, keys: list[str]) -> Iterable[str]:
    return [f"{word}: {', '.join(keys)}"] if keys else []


def _line(change: FlagChange) -> str:
    changed = "; ".join(f"{name} {change.before.get(name)} -> {value}" for name, value in change.after.items())
    forced, why = " (forced)" if change.forced else "", f": {change.reason}" if change.reason else ""
    return f"{change.at:%Y-%m-%d %H:%M} {change.actor} {changed}{forced}{why}"
