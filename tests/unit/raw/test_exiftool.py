"""exiftool finds the same preview in every layout that the tests build, and the same orientation."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import images
from tests.formats import raw_notes, raw_tiff, raws
from tests.unit.raw.reading import read
from tests.unit.raw.test_layouts import LARGE, MAKERS, MIDDLE, SMALL, plain

pytestmark = pytest.mark.skipif(
    not shutil.which("exiftool"), reason="needs exiftool: apt-get install libimage-exiftool-perl"
)

_NAMES = ("PreviewImage", "JpgFromRaw", "JpgFromRaw2", "OtherImage", "ThumbnailImage")

#: As Sony's begin, and as exiftool wants them: no JFIF header.
BARE = LARGE[:2] + LARGE[20:]
#: exiftool 12.57 takes an unmarked note of an ARW for Sony's own, never for Minolta's; LibRaw reads both.
#: Nor does it know Panasonic's second preview (0x0127); later versions do.
NOTES = sorted(raw_notes.NOTES.keys() - {"minolta"})

FILES = {
    **{f"{maker}, {tag}": make(plain(tag), tag) for maker, make in MAKERS.items() for tag in (1, 3, 6, 8)},
    **{f"note of {note}": raw_notes.with_note(note, BARE) for note in NOTES},
    **{f"note of {note}, big-endian": raw_notes.with_note(note, BARE, magic=b"MM\0*") for note in NOTES},
    "dng of three": raws.dng(SMALL, MIDDLE, LARGE),
    "dng, the largest first": raws.dng(LARGE, MIDDLE, SMALL),
    "dng of a converter": raw_notes.converted_dng(SMALL, in_note=LARGE),
    "dng, a bitmap first": raws.dng(LARGE, bitmap_px=(160, 120)),
    "cr3, the other one larger": raws.cr3(MIDDLE, LARGE),
    "cr3 with a thumbnail": raws.cr3(LARGE, MIDDLE, thumbnail=SMALL),
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """All that exiftool says of each file, by its name here."""
    folder = tmp_path_factory.mktemp("raw")
    paths = {str(folder / str(number)): name for number, name in enumerate(FILES)}
    for path, name in paths.items():
        Path(path).write_bytes(FILES[name])
    command = ["exiftool", "-json", "-b", "-ee", "-a", "-n", "-G1:4", "-Orientation", *(f"-{name}" for name in _NAMES)]
    answer = subprocess.run([*command, *paths], check=True, capture_output=True, timeout=120).stdout
    return {paths[tags["SourceFile"]]: tags for tags in json.loads(answer)}


def jpegs(tags: dict[str, Any]) -> list[bytes]:
    """Those that it extracts."""
    binary = (value for value in tags.values() if isinstance(value, str) and value.startswith("base64:"))
    found = (base64.b64decode(value.removeprefix("base64:")) for value in binary)
    return [jpeg for jpeg in found if jpeg.startswith(b"\xff\xd8")]


@pytest.mark.parametrize("name", FILES)
def test_exiftool_agrees_on_the_preview_and_its_turn(name: str, theirs: dict[str, dict[str, Any]]) -> None:
    tags = theirs[name]
    largest = max(jpegs(tags), key=raw_tiff.size_px)
    orientation = next((value for tag, value in tags.items() if tag.endswith(":Orientation")), 1)
    ours = read(FILES[name])
    assert ours.size_px == raw_tiff.size_px(largest)
    assert ours.jpeg == largest
    assert ours.turn == orientation


def test_the_files_differ_enough_for_an_agreement_to_mean_something() -> None:
    assert len({raw_tiff.size_px(jpeg) for jpeg in (LARGE, MIDDLE, SMALL)}) == 3
    assert images.jpeg(800, 600) == LARGE
