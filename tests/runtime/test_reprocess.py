"""`manage.py reprocess --workers`: it works in processes of its own, without Redis and beside no service."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from media_jobs.models import Derivative, Job, JobEvent, ReprocessRun, RunItem
from media_jobs.states import DerivativeState, JobState, RunItemState, RunState
from tests import images
from tests.chaos.dying.crashing import PROGRAM, Fault, Faults, Point
from tests.factories import make_original
from tests.servers import die_with_parent

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 250.0


def start(env: Mapping[str, str], *command: str, **how: Any) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        text=True,
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
        **pipes,
    )


def reprocess(env: Mapping[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    process = start(env, sys.executable, "manage.py", "reprocess", *options)
    out, err = process.communicate(timeout=LIMIT_S)
    return subprocess.CompletedProcess(options, process.returncode, out, err)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def in_image(number: int, fault: Fault) -> Point:
    """In the middle of that image, counted from when the point is armed. One at a time is rendered, into four files."""
    note = "media_jobs.services.jobs.attempt.Attempt._note_output"
    return Point(f"image {number}", note, "worker", nth=4 * (number - 1) + 2, fault=fault)


def assert_each_was_made_once(count: int) -> None:
    assert dict.fromkeys(RunItem.objects.values_list("state", flat=True)) == {RunItemState.DONE: None}
    assert RunItem.objects.count() == count
    assert JobEvent.objects.filter(type="done").count() == count
    states = Counter(Derivative.objects.values_list("state", flat=True))
    assert (states[DerivativeState.CURRENT], states[DerivativeState.REPLACED]) == (4 * count, 0)


@pytest.mark.slow
def test_it_does_a_whole_run_by_itself_and_says_what_failed(env, tmp_path):
    photo = images.jpeg(320, 240)
    for number in range(4):
        make_original(photo + bytes([number]))
    make_original(b"\xff\xd8\xff\xe0 no picture at all")
    ended = reprocess(env, "--prefix", "originals/", "--workers", "2", "--json")
    assert ended.returncode == 3, ended.stderr
    summary = json.loads(ended.stdout)
    assert {name: summary[name] for name in ("state", "total", "done", "skipped", "failed", "left")} == {
        "state": "finished", "total": 5, "done": 4, "skipped": 0, "failed": 1, "left": 0,
    }  # fmt: skip
    assert summary["codes"]["failed"].keys() <= {"undecodable", "truncated"}
    assert Derivative.objects.filter(state=DerivativeState.CURRENT).count() == 16
    assert re.search(r"^Run \S+: 5 images, ", ended.stderr, re.MULTILINE)
    assert '"event": "job_done"' in ended.stderr  # of the workers, line by line
    assert "\x1b" not in ended.stderr
    assert not [path for path in (tmp_path / "work").iterdir() if path.is_dir()]

    again = reprocess(env, "--prefix", "originals/", "--workers", "2")
    assert (again.returncode, "0 done, 0 skipped, 0 failed" in again.stdout) == (0, True), again.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_pauses_it_and_what_it_prints_goes_on(env, tmp_path, number, code):
    photo = images.jpeg(1600, 1200)
    for nth in range(10):
        make_original(photo + bytes([nth]))
    faults = Faults(tmp_path / "points", (in_image(2, Fault.FREEZE),))
    faults.arm("image 2")
    long = {**env, **faults.env, "LEASE_S": "60"}
    process = start(long, sys.executable, *PROGRAM, "reprocess", "--workers", "1", start_new_session=True)
    wait_until(lambda: faults.has_happened("image 2"))
    os.killpg(process.pid, number)  # as a terminal does, to all of its group
    wait_until(lambda: ReprocessRun.objects.get().state == RunState.PAUSING)
    faults.thaw("image 2")
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == code, err
    assert " paused: " in out
    assert ReprocessRun.objects.get().state == RunState.PAUSED
    assert not Job.objects.filter(state__in=[JobState.QUEUED, JobState.PROCESSING]).exists()
    left = RunItem.objects.filter(state=RunItemState.TODO).count()
    assert 0 < left < 10
    resume = re.search(r"Go on: (manage\.py reprocess --resume \S+ --workers 1)$", err, re.MULTILINE)
    assert resume, err
    end = start(env, sys.executable, *shlex.split(resume[1]))
    out, err = end.communicate(timeout=LIMIT_S)
    assert (end.returncode, " finished: 10 done" in out) == (0, True), err
    assert_each_was_made_once(10)


@pytest.mark.slow
def test_killed_without_a_word_it_leaves_nothing_running_and_goes_on(env, tmp_path):
    photo = images.jpeg(1600, 1200)
    for nth in range(8):
        make_original(photo + bytes([nth]))
    faults = Faults(tmp_path / "points", (in_image(2, Fault.FREEZE),))
    options: tuple[str, ...] = ()
    for _ in range(2):
        faults.arm("image 2")
        process = start({**env, **faults.env}, sys.executable, *PROGRAM, "reprocess", "--workers", "1", *options)
        wait_until(lambda: faults.has_happened("image 2"))
        process.kill()  # its workers die with it
        process.communicate(timeout=LIMIT_S)
        options = ("--resume", str(ReprocessRun.objects.get().pk))
    ended = reprocess(env, "--workers", "1", *options)
    assert (ended.returncode, " finished: 8 done" in ended.stdout) == (0, True), ended.stderr
    assert_each_was_made_once(8)


@pytest.mark.slow
def test_where_most_fail_it_stops_and_asks(env):
    for number in range(60):
        make_original(b"\xff\xd8\xff\xe0 no picture at all" + bytes([number]))
    ended = reprocess(env, "--workers", "2")
    assert ended.returncode == 4, ended.stderr
    assert "of the latest" in ended.stderr
    assert "--resume" in ended.stderr
    assert ReprocessRun.objects.get().state == RunState.PAUSED


@pytest.mark.slow
@pytest.mark.sqlite
def test_in_a_terminal_it_shows_a_bar_with_rate_rest_and_failures(env):
    photo = images.jpeg(1600, 1200)
    make_original(b"\xff\xd8\xff\xe0 no picture at all")
    for nth in range(8):
        make_original(photo + bytes([nth]))
    ours, theirs = pty.openpty()
    terminal = {**env, "COLUMNS": "100", "TERM": "xterm"}
    process = start(terminal, sys.executable, "manage.py", "reprocess", "--workers", "1", stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65_536)
        except OSError:  # its end is closed
            break
    out, _ = process.communicate(timeout=LIMIT_S)
    os.close(ours)
    assert process.returncode == 3, out
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"images .*\d\.\d/s, \d+ (s|min) left, 1 failed", text), text


@pytest.mark.slow
def test_a_worker_that_dies_is_started_again_and_its_picture_is_done(env, tmp_path):
    photo = images.jpeg(1600, 1200)
    for nth in range(6):
        make_original(photo + bytes([nth]))
    faults = Faults(tmp_path / "points", (in_image(2, Fault.DIE),))
    faults.arm("image 2")
    process = start({**env, **faults.env}, sys.executable, *PROGRAM, "reprocess", "--workers", "1")
    out, err = process.communicate(timeout=LIMIT_S)
    assert faults.has_happened("image 2"), err
    assert (process.returncode, " finished: 6 done" in out) == (0, True), err
    assert "process_ended" in err
    assert_each_was_made_once(6)


@pytest.mark.slow
@pytest.mark.sqlite
def test_it_takes_the_options_of_the_seed(env):
    """`/app/reprocess -workers=2 -prefix originals/`."""
    make_original(images.jpeg(320, 240))
    process = start(env, "./reprocess", "-prefix", "originals/", "-dry-run", "-json")
    out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, json.loads(out or "{}").get("images")) == (0, 1), err
    process = start(env, "./reprocess", "-workers=none", "-prefix=originals/")
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 2
    assert "argument --workers: 'none': takes a number" in err


@pytest.mark.sqlite
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_console_of_root_becomes_the_owner_of_the_data():
    """What it hands on, to a program that says so in place of ours."""
    with tempfile.TemporaryDirectory() as name:
        app = Path(name)
        app.chmod(0o755)
        shutil.copy(ROOT / "reprocess", app / "reprocess")
        (app / "manage.py").write_text(
            "import os, sys\nprint(os.getuid(), os.getgid(), os.getgroups(), sys.argv[1:])\n"
        )
        data = app / "data"
        data.mkdir()
        os.chown(data, 65_534, 65_534)
        own = {"GALLIMG_DATA": str(data), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        process = start(own, str(app / "reprocess"), "-limit", "5", "-json", "--prefix=a", "-prefix", "-5")
        out, err = process.communicate(timeout=LIMIT_S)
    assert out == "65534 65534 [] ['reprocess', '--limit', '5', '--json', '--prefix=a', '--prefix', '-5']\n", err


@pytest.mark.slow
@pytest.mark.sqlite
def test_without_a_database_it_says_so_in_a_sentence(env, tmp_path):
    ended = reprocess({**env, "GALLIMG_DATA": str(tmp_path / "none"), "DATABASE_URL": ""}, "--workers", "1")
    assert ended.returncode == 1
    assert ended.stderr.startswith("CommandError: The database cannot be used")
    (tmp_path / "empty").mkdir()
    ended = reprocess({**env, "GALLIMG_DATA": str(tmp_path / "empty"), "DATABASE_URL": ""}, "--workers", "1")
    assert (ended.returncode, "manage.py migrate" in ended.stderr) == (1, True), ended.stderr
