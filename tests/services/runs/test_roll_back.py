"""Taking a run back, and not being able to any more."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.errors import WrongState
from media_jobs.models import Derivative, Original, Preset, ReprocessRun
from media_jobs.services.images import editing
from media_jobs.services.presets import copy_as_new_version, make_current
from media_jobs.services.runs import lifecycle
from media_jobs.states import DerivativeState, RunState
from tests import images
from tests.services.housekeeping.helpers import do
from tests.services.runs.working import confirmed, current, ledger, lines, rows, uploaded, work

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(300, 200)


def change_preset(**fields: Any) -> None:
    """Have the renditions `full` and `thumb` of gallformers made differently from now on; the other two stay."""
    newer = copy_as_new_version(Preset.objects.get(name="gallformers", current=True))
    newer.renditions.filter(name__in=["full", "thumb"]).update(**fields)
    make_current(newer)


def sweep() -> None:
    do("derivatives")


def age(days: float) -> None:
    """Let so much time have passed since anything was replaced and runs ended."""
    then = timezone.now() - timedelta(days=days)
    Derivative.objects.filter(state=DerivativeState.REPLACED).update(replaced_at=then)
    ReprocessRun.objects.exclude(ended_at=None).update(ended_at=then)


@pytest.fixture
def read_object(tmp_path: Path) -> Callable[[str], bytes]:
    def read(key: str) -> bytes:
        store(Role.WORKER).fetch(key, tmp_path / "object")
        return (tmp_path / "object").read_bytes()

    return read


def test_rolling_back_restores_every_row_and_leaves_every_byte(photo, read_object):
    original = uploaded(photo)
    facts = Original.objects.filter(pk=original.pk).values().get()
    before = {row["id"]: row for row in rows(original)}
    bytes_before = {row["key"]: read_object(row["key"]) for row in before.values()}
    change_preset(quality=40)
    run = work(confirmed())
    assert (run.state, run.done) == (RunState.FINISHED, 1)
    made = current(original)
    assert made["full"].key not in bytes_before
    assert made["small"].key in bytes_before
    run = work(lifecycle.roll_back(run.pk, actor=SYSTEM))
    assert (run.state, run.done, run.rolled_back, ledger(run)) == (RunState.ROLLED_BACK, 0, 1, {"rolled_back": 1})
    after = {row["id"]: row for row in rows(original)}
    assert {pk: after[pk] for pk in before} == before
    assert {row["state"] for pk, row in after.items() if pk not in before} == {"replaced"}
    assert {key: read_object(key) for key in bytes_before} == bytes_before
    assert Original.objects.filter(pk=original.pk).values().get() == facts


def test_what_somebody_made_since_stays_when_a_run_is_rolled_back(photo):
    original, other = uploaded(photo), uploaded(photo)
    change_preset(quality=40)
    first = work(confirmed())
    editing.change(original.pk, actor=SYSTEM, rights={"creator": "Ada"})
    work(confirmed(stale=("rights",)))
    newest = {name: row.key for name, row in current(original).items()}
    run = work(lifecycle.roll_back(first.pk, actor=SYSTEM))
    assert run.state == RunState.ROLLED_BACK
    assert lines(run) == {original.pk: ("rolled_back", "changed_since"), other.pk: ("rolled_back", "")}
    assert {name: row.key for name, row in current(original).items()} == newest


def test_what_a_run_replaced_stays_for_caches_and_until_somebody_accepts_it(photo, read_object):
    original = uploaded(photo)
    old = current(original)["full"].key
    change_preset(quality=40)
    run = work(confirmed())
    age(6.9)
    sweep()
    assert read_object(old)
    lifecycle.accept(run.pk, actor=SYSTEM)
    sweep()
    assert read_object(old), "a page in a cache may still name it"
    age(7.1)
    sweep()
    assert not Derivative.objects.filter(key=old).exists()
    assert old not in set(store(Role.WORKER).keys())
    with pytest.raises(WrongState):
        lifecycle.roll_back(run.pk, actor=SYSTEM)


def test_what_a_paused_run_replaced_stays_however_old_it_is(photo, read_object):
    original = uploaded(photo)
    old = current(original)["full"].key
    change_preset(quality=40)
    run = work(confirmed())
    ReprocessRun.objects.filter(pk=run.pk).update(state=RunState.PAUSED, ended_at=None)
    age(100)
    sweep()
    assert read_object(old)


def test_a_run_that_nobody_decides_on_is_accepted_after_a_week(photo):
    uploaded(photo)
    run = work(confirmed())
    age(6.9)
    do("runs")
    assert ReprocessRun.objects.get(pk=run.pk).state == RunState.FINISHED
    age(7.1)
    do("runs")
    run.refresh_from_db()
    assert (run.state, run.code) == (RunState.ACCEPTED, "nobody_decided")
