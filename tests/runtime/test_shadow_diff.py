"""`manage.py shadow_diff`: compares what is due in processes of its own, and goes on where it was stopped."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.models import Shadow
from media_jobs.states import ShadowState
from tests import images
from tests.chaos.dying.crashing import PROGRAM, Fault, Faults, Point
from tests.runtime.test_reprocess import LIMIT_S, start, wait_until
from tests.services.cutover.making import Site, make_shadow

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def site(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Site:
    settings.LEGACY_FOLDER = str(tmp_path / "site")
    monkeypatch.setenv("LEGACY_FOLDER", settings.LEGACY_FOLDER)
    return Site(tmp_path / "site")


def make(site: Site, count: int, **how: Any) -> None:
    known = Shadow.objects.count()
    for number in range(known, known + count):
        make_shadow(site, f"gall/{number}/{number}_1_original.jpg", images.jpeg(400, 300), **how)


def shadow_diff(env: Mapping[str, str], site: Site, *options: str) -> "subprocess.CompletedProcess[str]":
    process = begun(env, site, *options)
    out, err = process.communicate(timeout=LIMIT_S)
    return subprocess.CompletedProcess(options, process.returncode, out, err)


def begun(
    env: Mapping[str, str], site: Site, *options: str, program: tuple[str, ...] = ("manage.py",)
) -> "subprocess.Popen[str]":
    return start({**env, "LEGACY_FOLDER": str(site.folder)}, sys.executable, *program, "shadow_diff", *options)


def compared() -> int:
    return Shadow.objects.filter(state=ShadowState.COMPARED).count()


def test_it_compares_what_is_due_and_says_what_is_worse(env, site):
    make(site, 3)
    make(site, 1, worse=True)
    ended = shadow_diff(env, site, "--limit", "2", "--json")
    assert (ended.returncode, compared()) == (0, 2), ended.stderr
    assert json.loads(ended.stdout)["waiting"] == 0
    ended = shadow_diff(env, site)
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout.startswith("2 compared in ")
    assert "\n  worse            1\n" in ended.stdout
    assert "The last 7 days: 1 of 4 are worse (25.00%)" in ended.stdout
    assert "\x1b" not in ended.stderr
    ended = shadow_diff(env, site, "--again", "--since", "1h", "--json")
    assert (ended.returncode, json.loads(ended.stdout)["compared"]) == (3, 4), ended.stderr
    ended = shadow_diff(env, site, "--json")
    assert (ended.returncode, json.loads(ended.stdout)["compared"]) == (0, 0), ended.stderr
    wrong = shadow_diff(env, site, "--since", "yesterday")
    assert wrong.returncode == 2
    assert "takes days or hours, as in 7d or 12h, or a date" in wrong.stderr


def test_stopped_it_hands_back_and_killed_it_goes_on(env, site, tmp_path):
    make(site, 12)
    third = Point("third", "media_jobs.services.cutover.working.comparing.compare", "worker", nth=3, fault=Fault.FREEZE)
    faults = Faults(tmp_path / "points", (third,))
    faults.arm("third")
    process = begun({**env, **faults.env}, site, "--workers", "1", program=PROGRAM)
    wait_until(lambda: faults.has_happened("third") and compared() >= 1)
    process.send_signal(signal.SIGINT)
    faults.thaw("third")
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, err
    assert "Stopped. The same command goes on from here" in err
    assert not Shadow.objects.filter(state=ShadowState.DUE).exclude(worker="").exists(), "nothing is held"
    had = compared()
    assert 1 <= had < 12

    process = begun(env, site, "--workers", "1")
    wait_until(lambda: compared() > had)
    process.kill()
    process.communicate(timeout=LIMIT_S)
    # What it held becomes due again after two minutes of silence.
    Shadow.objects.filter(state=ShadowState.DUE).update(due_at=timezone.now())
    ended = shadow_diff(env, site)
    assert ended.returncode == 0, ended.stderr
    assert compared() == 12
