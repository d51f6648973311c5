"""Raw files give the largest preview inside, and the turn that it needs; LibRaw and numpy stay in a child process."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest

from media_jobs.demo.exif_writer import Facts, with_facts
from tests import images, raws

_CHILD = """
import base64, json, pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
import rawpy
from media_jobs import errors
from media_jobs.pipeline.readers import raw
print(flush=True)
for line in sys.stdin:
    try:
        found = raw.preview(pathlib.Path(line.rstrip()))
        answer = {"jpeg": base64.b64encode(found.jpeg).decode(), "orientation": found.orientation}
    except errors.ImageRefused as refusal:
        answer = {"refused": refusal.code}
    print(json.dumps(answer), flush=True)
"""

LARGE, MIDDLE, SMALL = (images.jpeg(width, width * 3 // 4) for width in (320, 240, 160))
#: Upright it is higher than wide, and stored as a camera stores it.
UPRIGHT_STORED = {orientation: images.jpeg(240, 320, orientation=orientation) for orientation in (6, 8)}


@dataclass(frozen=True, slots=True)
class Answer:
    jpeg: bytes = b""
    orientation: int = 0
    refused: str = ""


Read = Callable[[bytes], Answer]


@pytest.fixture(scope="module")
def child() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _CHILD]
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()  # it is ready
        yield process
        process.stdin.close()


@pytest.fixture
def read(child: subprocess.Popen[str], tmp_path: Path) -> Read:
    def ask(data: bytes) -> Answer:
        assert child.stdin
        assert child.stdout
        (tmp_path / "source").write_bytes(data)
        child.stdin.write(f"{tmp_path / 'source'}\n")
        child.stdin.flush()
        answer = json.loads(child.stdout.readline())
        if "refused" in answer:
            return Answer(refused=answer["refused"])
        return Answer(base64.b64decode(answer["jpeg"]), answer["orientation"])

    return ask


def is_same_picture(found: bytes, stored: bytes) -> bool:
    """LibRaw puts EXIF before a preview that has none; every byte behind it is the camera's."""
    return found.startswith(b"\xff\xd8") and found.endswith(stored[2:])


def plain(orientation: int) -> bytes:
    """Pixels as a camera stores them for `orientation`, without a tag that says so."""
    stored = images.quadrants(240, 320, orientation=orientation)
    return images.encoded(stored, "JPEG", quality=90)


def fuji(preview: bytes, orientation: int) -> bytes:
    """A RAF: its only orientation is the preview's."""
    shot = Facts(make="FUJIFILM", model="X100", orientation=orientation)
    return raws.raf(with_facts(preview, shot))


MAKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "dng": lambda preview, orientation: raws.dng(SMALL, preview, orientation=orientation),
    "cr2": lambda preview, orientation: raws.cr2(preview, orientation=orientation),
    "cr3": lambda preview, orientation: raws.cr3(preview, SMALL, orientation=orientation),
    "nef": lambda preview, orientation: raws.nef(preview, orientation=orientation),
    "arw": lambda preview, orientation: raws.arw(preview, orientation=orientation),
    "raf": fuji,
    "orf": lambda preview, orientation: raws.orf(preview, orientation=orientation),
    "rw2": lambda preview, orientation: raws.rw2(preview, orientation=orientation),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_the_preview_of_every_maker_is_found_and_lies_as_the_camera_was_held(maker: str, read: Read) -> None:
    for orientation in (6, 8):
        stored = plain(orientation)
        found = read(MAKERS[maker](stored, orientation))
        assert found.refused == ""
        assert found.orientation == orientation
        assert is_same_picture(found.jpeg, stored)


@pytest.mark.parametrize("maker", MAKERS)
def test_a_picture_that_needs_no_turn_gets_none(maker: str, read: Read) -> None:
    assert read(MAKERS[maker](LARGE, 1)).orientation == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_reported_mirrored_ones_too(orientation: int, read: Read) -> None:
    assert read(raws.dng(LARGE, orientation=orientation)).orientation == orientation


@pytest.mark.parametrize("order", list(permutations([LARGE, MIDDLE, SMALL])), ids=range(6))
def test_the_largest_preview_wins_wherever_it_lies(order: tuple[bytes, ...], read: Read) -> None:
    assert is_same_picture(read(raws.dng(*order)).jpeg, LARGE)


def test_a_bitmap_thumbnail_does_not_stand_before_a_larger_preview(read: Read) -> None:
    assert is_same_picture(read(raws.dng(LARGE, bitmap_px=(160, 120))).jpeg, LARGE)


HEVC = b"\0\0\0\1CISZ" + bytes(4_000)


@pytest.mark.parametrize(
    "data",
    [raws.dng(), raws.dng(bitmap_px=(160, 120)), raws.cr3(HEVC, SMALL)],
    ids=["nothing", "a bitmap only", "HEVC, not JPEG"],
)
def test_a_raw_file_without_a_preview_is_refused_with_its_own_code(data: bytes, read: Read) -> None:
    assert read(data).refused == "raw_no_preview"


@pytest.mark.parametrize(("file_tag", "turn"), [(5, 1), (6, 1), (8, 1), (3, 3)])
def test_a_preview_that_was_turned_already_is_not_turned_again(file_tag: int, turn: int, read: Read) -> None:
    assert read(raws.dng(images.jpeg(240, 320), orientation=file_tag)).orientation == turn


@pytest.mark.parametrize("file_tag", [1, 3, 8])
def test_the_orientation_of_the_file_counts_and_not_the_preview_s(file_tag: int, read: Read) -> None:
    assert read(raws.dng(UPRIGHT_STORED[6], orientation=file_tag)).orientation == file_tag


@pytest.mark.parametrize("own_tag", [6, 8])
def test_the_preview_s_orientation_counts_where_the_file_has_none(own_tag: int, read: Read) -> None:
    assert read(raws.dng(UPRIGHT_STORED[own_tag], orientation=None)).orientation == own_tag


@pytest.mark.parametrize("missing_bytes", [1, 63, 64, 300])
def test_a_file_that_ends_within_its_preview_is_truncated(missing_bytes: int, read: Read) -> None:
    data = raws.rw2(LARGE)
    assert data.endswith(LARGE)
    assert read(data[:-missing_bytes]).refused == "truncated"


def test_nobody_gets_the_preview_of_the_file_before(read: Read) -> None:
    whole = raws.cr3(LARGE, SMALL)
    cut_before_its_preview = whole[: whole.index(LARGE)]
    for _ in range(10):
        assert is_same_picture(read(whole).jpeg, LARGE)
        assert read(cut_before_its_preview).refused != ""


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_raw_file_cut_anywhere_gives_a_whole_preview_or_a_code(maker: str, share: float, read: Read) -> None:
    found = read(images.cut(MAKERS[maker](LARGE, 1), share))
    assert found.refused in ("truncated", "undecodable", "raw_no_preview") or found.jpeg.endswith(LARGE[-1_000:])


@pytest.mark.parametrize("data", [images.tiff(64, 48), b"II*\0" + bytes(500), b"no picture" * 50, b"\0"])
def test_what_is_no_raw_file_is_undecodable_or_truncated(data: bytes, read: Read) -> None:
    assert read(data).refused in ("undecodable", "truncated")


def test_numpy_is_loaded_for_the_first_raw_file_only() -> None:
    check = "import sys, media_jobs.pipeline.readers.raw; sys.exit('numpy' in sys.modules or 'rawpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
