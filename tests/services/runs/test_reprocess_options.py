"""`manage.py reprocess`: what each option chooses, told by a run that the service's workers get."""

import io
import json
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

from media_jobs.callers import SYSTEM
from media_jobs.management.commands.reprocess import Command
from media_jobs.models import Original, ReprocessRun, RunItem
from media_jobs.services import engines
from media_jobs.services.images import editing
from media_jobs.services.runs import lifecycle, moves
from media_jobs.states import RunBy, RunState
from tests import images
from tests.factories import make_original
from tests.services.runs.working import uploaded, work

pytestmark = pytest.mark.django_db


class Ended(NamedTuple):
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*options: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    call_command("reprocess", *options, stdout=out, stderr=err)
    return Ended(out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(320, 240)


class Shop(NamedTuple):
    """One image of each kind."""

    current: Original
    stale: Original
    missing: Original
    elsewhere: Original
    hopeless: Original

    def names(self, chosen: ReprocessRun) -> set[str]:
        ids = set(RunItem.objects.filter(run=chosen).values_list("original", flat=True))
        return {name for name in self._fields if getattr(self, name).pk in ids}


@pytest.fixture
def shop(photo: bytes) -> Shop:
    made = [uploaded(photo + bytes([number])) for number in range(2)]
    editing.change(made[1].pk, actor=SYSTEM, rights={"creator": "Ada"})
    elsewhere = make_original(photo + b"\3", key="gall/leaf.jpg", stored=False)
    hopeless = uploaded(b"\xff\xd8\xff\xe0 no picture at all")
    return Shop(made[0], made[1], make_original(photo + b"\2"), elsewhere, hopeless)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ((), {"stale", "missing", "elsewhere"}),
        (("--prefix", "originals/"), {"stale", "missing"}),
        (("--prefix", "gall/"), {"elsewhere"}),
        (("--only-missing",), {"missing", "elsewhere"}),
        (("--only-stale",), {"stale"}),
        (("--only-missing", "--only-stale"), {"stale", "missing", "elsewhere"}),
        (("--only-missing", "--force"), {"missing", "elsewhere", "hopeless"}),
        (("--force",), {"current", "stale", "missing", "elsewhere", "hopeless"}),
        (("--force", "--limit", "2"), {"current", "stale"}),
        (("--rendition", "thumb", "--only-stale"), {"stale"}),
    ],
)
def test_the_options_choose(shop, options, chosen):
    ended = run("--enqueue", "--json", *options)
    begun = ReprocessRun.objects.get(pk=ended.json["run"])
    assert shop.names(begun) == chosen
    assert (begun.by, begun.state, begun.total) == (RunBy.WORKERS, RunState.RUNNING, len(chosen))
    assert ReprocessRun.objects.count() == 1
    dry = run("--dry-run", "--json", *options)
    assert dry.json["images"] == len(chosen)
    assert ReprocessRun.objects.count() == 1


def test_only_the_renditions_that_are_named_are_made_by_the_preset_that_is_named(photo):
    make_original(photo)
    ended = run(
        "--enqueue", "--json", "--preset", "ingest", "--rendition", "web", "--rendition", "thumbnail", "--force"
    )
    begun = ReprocessRun.objects.get(pk=ended.json["run"])
    assert (begun.preset.name, set(begun.wanted)) == ("ingest", {"web", "thumbnail"})


def test_the_workers_of_the_service_do_what_is_enqueued(shop):
    ended = run("--enqueue", "--only-missing", "--prefix", "originals/")
    assert "with the service's workers" in ended.out
    assert "1 images" in ended.err
    done = work(ReprocessRun.objects.get())
    assert (done.state, done.done, done.failed) == (RunState.FINISHED, 1, 0)


def test_a_paused_run_goes_on_with_the_workers_of_the_service(shop):
    run("--enqueue", "--only-missing")
    begun = lifecycle.pause(ReprocessRun.objects.get().pk, actor=SYSTEM)
    assert begun.state == RunState.PAUSED
    run("--resume", str(begun.pk), "--enqueue")
    assert moves.read(begun.pk).state == RunState.RUNNING


def test_a_dry_run_says_what_it_would_cost(shop):
    said = run("--dry-run", "--force").out
    assert "5 images" in said
    assert "processor time" in said
    assert "requests to the storage" in said
    assert not ReprocessRun.objects.exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "Say who is to work"),
        (("--workers", "2", "--enqueue"), "not allowed with"),
        (("--workers", "0"), "a number from 1 to 64"),
        (("--workers", "many"), "a number from 1 to 64"),
        (("--enqueue", "--limit", "-1"), "a number from 1"),
        (("--enqueue", "--preset", "nothing"), "There is no preset “nothing”. Known presets: .*gallformers"),
        (("--enqueue", "--rendition", "huge"), "has no rendition huge; it has full"),
        (("--enqueue", "--resume", "x"), "takes the id of a run"),
        (("--enqueue", "--resume", "0" * 32), "There is no run"),
        (("--enqueue", "--resume", "0" * 32, "--prefix", "gall/", "--force"), "leave out --prefix, --force"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(options, why):
    with pytest.raises(CommandError, match=why):
        run(*options)
    assert not ReprocessRun.objects.exists()


def test_a_run_that_is_over_does_not_go_on(shop):
    run("--enqueue", "--only-stale")
    done = work(ReprocessRun.objects.get())
    with pytest.raises(CommandError, match="The run is finished"):
        run("--resume", str(done.pk), "--enqueue")


def test_every_option_is_explained_within_the_width_of_a_terminal():
    parser = Command().create_parser("manage.py", "reprocess")
    assert all(action.help for action in parser._actions)
    shown = parser.format_help()
    for name in ("--workers", "--enqueue", "--prefix", "--resume", "Exit codes"):
        assert name in shown


def test_a_file_that_an_older_engine_failed_on_is_tried_again(shop, monkeypatch):
    run("--enqueue", "--only-missing")
    assert "hopeless" not in shop.names(ReprocessRun.objects.get())
    engines.note("a newer engine")
    ended = run("--enqueue", "--only-missing", "--json")
    assert "hopeless" in shop.names(ReprocessRun.objects.get(pk=ended.json["run"]))
