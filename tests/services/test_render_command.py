"""`manage.py render`: one picture in, its derivatives and its receipt out, without server or database."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from media_jobs.management.commands.render import listed
from tests import images
from tests.chaos.dying.crashing import PROGRAM, Fault, Faults, Point
from tests.formats import raws
from tests.services.jobs.threads import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def render(source: Path, out: Path, *options: str, preset: str = "gallformers") -> Ended:
    stdout, stderr = io.StringIO(), io.StringIO()
    try:
        call_command(
            "render", str(source), "--preset", preset, "--out", str(out), *options, stdout=stdout, stderr=stderr
        )
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return Ended(code, stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(images.jpeg(600, 400, orientation=6, facts=images.CAMERA))
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_derivatives_lie_in_the_folder_and_the_answer_lists_them(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    ended = render(photo, out, "--json")
    assert ended.code == 0
    report = ended.json
    assert (report["status"], report["format"], report["width"], report["height"], report["orientation"]) == (
        "done", "jpeg", 600, 400, 6,
    )  # fmt: skip
    assert names(out) == {"full.jpg", "medium.jpg", "small.jpg", "thumb.jpg"}
    for derivative in report["derivatives"]:
        path = out / derivative["file"]
        assert path.stat().st_size == derivative["bytes"]
        with Image.open(path) as picture:
            assert picture.size == (derivative["width"], derivative["height"])
    assert report["usage"]["peak_bytes"] > 0


def test_the_receipt_names_what_was_found_and_dropped_and_no_value(photo: Path, tmp_path: Path) -> None:
    report = render(photo, tmp_path / "out", "--json").json
    assert set(report["receipt"]) == {"found", "kept", "dropped", "outputs"}
    assert set(report["receipt"]["outputs"]) == {"full", "medium", "small", "thumb"}
    assert report["receipt"]["found"]
    assert "4711" not in json.dumps(report)
    assert "47.37" not in json.dumps(report)


def test_what_is_said_of_the_picture_follows_the_switches(photo: Path, tmp_path: Path) -> None:
    plain = render(photo, tmp_path / "out", "--json").json["metadata"]
    more = render(photo, tmp_path / "out", "--json", "--keep-gps", "--no-keep-timestamps").json["metadata"]
    assert "captureDate" in plain
    assert "captureDate" not in more
    assert "47.37" not in json.dumps(plain)
    assert "47.37" in json.dumps(more)


def test_a_person_reads_sizes_and_what_was_dropped(photo: Path, tmp_path: Path) -> None:
    said = render(photo, tmp_path / "out").out
    assert "600 × 400" in said
    assert "thumb.jpg" in said
    assert "dropped" in said


def test_a_turn_and_a_focal_point_are_obeyed(photo: Path, tmp_path: Path) -> None:
    render(photo, tmp_path / "out", "--rotate", "90", "--focus", "1,0")
    with Image.open(tmp_path / "out" / "full.jpg") as turned:
        assert turned.size == (400, 600)
    report = render(photo, tmp_path / "out", "--json", "--focus", "0,0").json
    plain = render(photo, tmp_path / "out", "--json").json
    assert report["derivatives"][-1]["sha256"] != plain["derivatives"][-1]["sha256"]


def test_older_derivatives_are_replaced_and_other_files_stay(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "full.jpg").write_bytes(b"old")
    (tmp_path / "out" / "mine.txt").write_bytes(b"mine")
    render(photo, tmp_path / "out")
    assert (tmp_path / "out" / "full.jpg").stat().st_size > 1_000
    assert (tmp_path / "out" / "mine.txt").read_bytes() == b"mine"
    assert names(tmp_path / "out") == {"full.jpg", "medium.jpg", "small.jpg", "thumb.jpg", "mine.txt"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"%PDF-1.7 and more", "unsupported_format"),
        (images.cut(images.jpeg(300, 200)), "truncated"),
        (images.jpeg_bomb(), "too_many_pixels"),
    ],
)
def test_a_refused_file_leaves_the_folder_alone_and_says_why(data: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(data)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "full.jpg").write_bytes(b"old")
    ended = render(tmp_path / "source", tmp_path / "out", "--json")
    assert ended.code == 2
    assert (ended.json["status"], ended.json["code"]) == ("refused", code)
    assert ended.err.startswith(f"{code}: ")
    assert names(tmp_path / "out") == {"full.jpg"}
    assert (tmp_path / "out" / "full.jpg").read_bytes() == b"old"


@pytest.mark.parametrize(("source", "why"), [("nothing.jpg", "there is no such file"), (".", "this is not a file")])
def test_what_is_no_file_is_said_and_nothing_is_made(source: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=why):
        render(tmp_path / source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options", [("--rotate", "45"), ("--focus", "2,0"), ("--focus", "left"), ("--preset", "nothing")]
)
def test_wrong_options_are_named(photo: Path, tmp_path: Path, options: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=options[0]):
        render(photo, tmp_path / "out", *options)


def test_names_stay_whole_where_lines_break() -> None:
    names = [f"XMP drone-dji:Gimbal Degree {number}" for number in range(20)]
    lines = [line.removeprefix("dropped").strip().rstrip(",") for line in listed("dropped", names).splitlines()]
    assert len(lines) > 1
    assert [name for line in lines for name in line.split(", ")] == names


def started(
    source: Path, folder: Path, *options: str, preset: str = "ingest", faults: Faults | None = None
) -> "subprocess.Popen[str]":
    """Call it like a person, in an empty folder and without a database; the exit code is that of the process."""
    program = PROGRAM if faults else (str(ROOT / "manage.py"),)
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": "", "GALLIMG_DATA": str(folder / "data")}
    return subprocess.Popen(
        [sys.executable, *program, "render", source, "--preset", preset, "--out", "out", *options],
        cwd=folder,
        env={**env, **faults.env, "PYTHONPATH": str(ROOT)} if faults else env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def called(source: Path, folder: Path, *options: str, preset: str = "ingest") -> Ended:
    process = started(source, folder, *options, preset=preset)
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)


def test_it_runs_in_a_fresh_checkout_without_a_database(photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cwd"
    folder.mkdir()
    done = called(photo, folder, "--json")
    assert (done.code, done.err) == (0, "")
    assert {derivative["file"] for derivative in done.json["derivatives"]} == names(folder / "out")
    photo.write_bytes(b"nonsense")
    refused = called(photo, folder)
    assert refused.code == 2
    assert refused.err.startswith("unsupported_format: ")
    assert not (folder / "data" / "gallimg.sqlite3").exists()


def test_a_wrong_call_is_not_taken_for_a_refused_file(photo: Path, tmp_path: Path) -> None:
    """argparse of itself would end with 2."""
    ended = called(photo, tmp_path, preset="nothing")
    assert ended.code == 1
    assert "invalid choice: 'nothing'" in ended.err


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_stopped_from_outside_it_leaves_no_copy_of_the_picture(
    stop: signal.Signals, photo: Path, tmp_path: Path
) -> None:
    """The copy has the position of the photo still in it, and the folder may be a public one."""
    out = tmp_path / "out"
    signal_decoder = "media_jobs.adapters.decoder.process.DecoderProcess._signal"
    faults = Faults(tmp_path / "points", (Point("woken", signal_decoder, "", after=True, fault=Fault.FREEZE),))
    faults.arm("woken")
    process = started(photo, tmp_path, faults=faults)
    wait_until(lambda: faults.has_happened("woken"))
    assert [path.read_bytes() for path in out.glob(".render-*/source")] == [photo.read_bytes()]
    process.send_signal(stop)
    _, report = process.communicate(timeout=120)
    assert process.returncode == 128 + stop
    assert list(out.iterdir()) == []
    assert [line for line in report.splitlines() if '"chaos"' not in line] == []


SMALL, LARGE = images.jpeg(320, 240), images.jpeg(1200, 900)
RAW_FILES = {
    "largest": (raws.dng(SMALL, LARGE, orientation=6), 0, "", (900, 1200)),
    "cut": (raws.arw(LARGE)[:9_000], 2, "truncated", None),
    "too small": (raws.nef(SMALL), 2, "raw_no_preview", None),
    "HEVC": (raws.cr3(b"\0\0\0\1CISZ" + bytes(900), SMALL), 2, "raw_no_preview", None),
    "IIQ": (b"II*\0\x20\0\0\0IIIITwaR" + bytes(900), 2, "unsupported_format", None),
}


@pytest.mark.parametrize("name", RAW_FILES)
def test_a_raw_file_is_done_by_its_largest_preview_or_refused(name: str, tmp_path: Path) -> None:
    data, code, refusal, size_px = RAW_FILES[name]
    (tmp_path / "source").write_bytes(data)
    ended = render(tmp_path / "source", tmp_path / "out", "--json")
    assert (ended.code, ended.json.get("code", "")) == (code, refusal)
    if size_px:
        assert (ended.json["width"], ended.json["height"]) == size_px


def test_the_setting_says_how_small_a_preview_may_be(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "source").write_bytes(raws.nef(SMALL))
    settings.RAW_MIN_PREVIEW_PX = 320
    assert render(tmp_path / "source", tmp_path / "out").code == 0
