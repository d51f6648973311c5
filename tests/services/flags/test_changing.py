"""People change flags: with a history, past nobody, and past the guard only with a reason."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from media_jobs.callers import SYSTEM, staff
from media_jobs.errors import BadRequest, RampRefused, UnknownFlag, WrongState
from media_jobs.models import Change, FeatureFlag, FlagChange
from media_jobs.services.flags import changing, evaluation
from tests.services.flags.helpers import NAME, few_errors, flag, too_many_errors

pytestmark = pytest.mark.django_db
ADA, BOB = staff(1), staff(2)


def change(actor: Any = ADA, **fields: Any) -> FeatureFlag:
    how = {name: fields.pop(name) for name in ("version", "reason", "force") if name in fields}
    return changing.change(NAME, fields, actor=actor, **how)


def test_a_change_leaves_who_when_why_and_from_what_to_what() -> None:
    few_errors()
    changed = change(enabled=True, basis_points=125, reason=" the first step ")
    assert (changed.enabled, changed.basis_points, changed.version) == (True, 125, 2)
    line = FlagChange.objects.get()
    assert (line.actor, line.version, line.reason, line.forced) == (ADA.id, 2, "the first step", False)
    assert (line.before, line.after) == ({"enabled": False, "percent": 0}, {"enabled": True, "percent": 1.25})
    logged = Change.objects.get()
    assert (logged.kind, logged.object_id, logged.action) == ("feature flag", NAME, "changed")
    assert logged.after == {"enabled": True, "percent": 1.25, "reason": "the first step"}


def test_what_changes_nothing_leaves_nothing() -> None:
    assert change(enabled=False, basis_points=0).version == 1
    assert not FlagChange.objects.exists()


def test_of_two_who_save_at_once_the_second_is_told() -> None:
    few_errors()
    change(version=1, enabled=True, basis_points=500)
    with pytest.raises(WrongState, match=r"Somebody else was first: image-service .* on at 5 % now"):
        change(BOB, version=1, basis_points=100)
    assert FlagChange.objects.count() == 1


def test_who_reads_before_and_writes_after_another_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row decides, at the moment of writing."""
    find = evaluation.find
    asked: list[str] = []

    def find_and_be_overtaken(name: str) -> FeatureFlag:
        found = find(name)
        if not asked:
            asked.append(name)
            change(BOB, description="Bob's")
        return found

    monkeypatch.setattr(evaluation, "find", find_and_be_overtaken)
    with pytest.raises(WrongState):
        change(description="Ada's")
    assert FlagChange.objects.get().actor == BOB.id
    assert FeatureFlag.objects.get(pk=NAME).description == "Bob's"


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ({"enabled": True, "basis_points": 100}, {"basis_points": 101}),
        ({"basis_points": 100}, {"enabled": True}),
        ({"enabled": True, "basis_points": 100}, {"guarded": False}),
        ({"enabled": True}, {"guarded": False, "basis_points": 10_000}),
    ],
)
def test_raising_asks_the_guard(now: dict[str, Any], wanted: dict[str, Any]) -> None:
    flag(**now)
    with pytest.raises(RampRefused, match=r"0 of 0 pictures .* 598 more without an error would do"):
        change(**wanted)
    too_many_errors()
    with pytest.raises(RampRefused, match=r"9 of 209 pictures .* worse: 4.31 %, over the limit of 0.50 %"):
        change(**wanted)
    assert FeatureFlag.objects.get(pk=NAME).version == 1
    few_errors()
    assert change(**wanted).version == 2


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ({"enabled": True, "basis_points": 100}, {"basis_points": 99}),
        ({"enabled": True, "basis_points": 100}, {"enabled": False}),
        ({"basis_points": 100}, {"basis_points": 10_000}),  # it is off, and stays off
        ({"guarded": False}, {"enabled": True, "basis_points": 10_000}),
        ({"guarded": False}, {"guarded": True}),
        ({}, {"allow": ["ada"], "deny": ["bob"], "description": "New"}),
    ],
)
def test_all_else_asks_nobody(now: dict[str, Any], wanted: dict[str, Any]) -> None:
    too_many_errors()
    flag(**now)
    assert change(**wanted).version == 2


def test_force_takes_a_reason_which_stays() -> None:
    with pytest.raises(BadRequest, match="Say why it is forced"):
        change(enabled=True, basis_points=500, force=True, reason=" ")
    change(enabled=True, basis_points=500, force=True, reason="a demonstration")
    line = FlagChange.objects.get()
    assert (line.forced, line.reason) == (True, "a demonstration")
    assert Change.objects.get().action == "forced"


def test_what_the_guard_allows_was_not_forced() -> None:
    few_errors()
    change(enabled=True, basis_points=500, force=True, reason="to be sure")
    assert not FlagChange.objects.get().forced


def test_lists_have_each_key_once_and_are_bounded() -> None:
    assert change(allow=[" ada ", "", "ada", "bob"]).allow == ["ada", "bob"]
    for bad in (["a" * 201], list(map(str, range(1001)))):
        with pytest.raises(BadRequest):
            change(deny=bad)


def test_flags_are_made_off_by_a_name_of_their_own() -> None:
    made = changing.create("new-header", description="A header", guarded=False, actor=ADA)
    assert (made.enabled, made.basis_points, made.guarded) == (False, 0, False)
    assert Change.objects.get().action == "made"
    with pytest.raises(WrongState, match="already"):
        changing.create("new-header", actor=ADA)
    for name in ("", "New", "a--b", "a" * 41, "ä", "a b", "a\n"):
        with pytest.raises(BadRequest):
            changing.create(name, actor=ADA)
    with pytest.raises(UnknownFlag):
        evaluation.find("old-header")


def test_the_database_keeps_what_cannot_be() -> None:
    for fields in ({"basis_points": 10_001},):
        with pytest.raises(IntegrityError), transaction.atomic():
            flag(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        FlagChange.objects.create(flag_id=NAME, version=2, actor=SYSTEM.id, forced=True)


class Typed:
    """The command, as it is typed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Its exit code, and what it printed."""
        try:
            call_command("flag", *arguments)
            code, error = 0, ""
        except CommandError as failure:
            code, error = failure.returncode, str(failure)
        except SystemExit as ended:
            code, error = int(ended.code or 0), ""
        return code, self._capsys.readouterr().out.strip() + error


@pytest.fixture
def type_(capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(capsys)


def test_the_command_changes_flags_and_tells_by_its_exit_code(type_: Typed) -> None:
    assert type_("list") == (0, f"{NAME}: off at 0 %, guarded")
    code, said = type_("set", NAME, "--on", "--percent", "25")
    assert (code, "598 more" in said) == (3, True)
    done = type_("set", NAME, "--on", "--percent", "25", "--force", "--reason", "a rehearsal")
    assert done == (0, f"{NAME}: on at 25 %, guarded")
    assert type_("set", NAME, "--percent", "25") == (0, f"{NAME}: on at 25 %, guarded (as it was)")
    assert type_("check", NAME, "visitor-1")[0] == 0
    assert type_("check", NAME, "visitor-7") == (
        1,
        f"off: share, bucket 6,956 of 10,000; {NAME} is on at 25 %, guarded",
    )
    assert type_("set", NAME, "--allow", "visitor-7", "--deny", "visitor-1")[0] == 0
    assert (type_("check", NAME, "visitor-7")[0], type_("check", NAME, "visitor-1")[0]) == (0, 1)
    assert type_("set", NAME, "--unlist", "visitor-7", "--off")[0] == 0
    shown = type_("show", NAME)[1]
    assert "denied: visitor-1" in shown
    assert "system enabled False -> True; percent 0 -> 25 (forced): a rehearsal" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "none"), "There is no feature flag “none”"),
        (("check", "none", "a"), "There is no feature flag “none”"),
        (("check", NAME, "\udcff"), "A key is a text"),
        (("set", NAME, "--percent", "101"), "from 0 to 100"),
        (("set", NAME, "--allow", "visitor-7", "--allow", " "), "--allow takes a key"),
        (("set", NAME, "--force", "--percent", "1"), "Say why it is forced"),
        (("create", NAME), "already"),
    ],
)
def test_the_command_says_what_is_wrong(type_: Typed, arguments: tuple[str, ...], said: str) -> None:
    code, printed = type_(*arguments)
    assert (code, said in printed) == (2, True)
