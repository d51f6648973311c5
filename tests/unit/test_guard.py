"""What a picture may cost, decided from its header."""

import subprocess
import sys
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.pipeline.guard import guard
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits
from tests import images

LIMITS = Limits()
SMALL = (200, 200)


def check(data: bytes, tmp_path: Path, limits: Limits = LIMITS) -> None:
    source = tmp_path / "source"
    source.write_bytes(data)
    guard(probe(source, limits), limits, largest_px=SMALL)


@pytest.mark.parametrize(
    "bomb", [images.jpeg_bomb(), images.png_bomb(), images.gif_bomb(), images.webp_bomb()], ids=range(4)
)
def test_bombs_are_refused_from_their_header(bomb: bytes, tmp_path: Path) -> None:
    with pytest.raises(errors.TooManyPixels):
        check(bomb, tmp_path)


def test_the_pixel_limit_is_inclusive(tmp_path: Path) -> None:
    check(images.png(100, 100), tmp_path, Limits(pixels=10_000))
    with pytest.raises(errors.TooManyPixels, match="10,000 pixels; at most 9,999"):
        check(images.png(100, 100), tmp_path, Limits(pixels=9_999))


def test_many_frames_are_not_counted_as_pixels_because_one_is_decoded(tmp_path: Path) -> None:
    check(images.gif_with(frames=100_000, side_px=40), tmp_path)


def test_what_must_be_held_whole_costs_more(tmp_path: Path) -> None:
    limits = Limits(memory_bytes=128 * 1_048_576)
    check(images.jpeg(4000, 3000), tmp_path, limits)
    with pytest.raises(errors.TooMuchMemory, match="128 MB are allowed"):
        check(images.jpeg(4000, 3000, progressive=True, subsampling=0), tmp_path, limits)
    with pytest.raises(errors.TooMuchMemory):
        check(images.gif(4000, 3000), tmp_path, limits)


ALLOWED_AND_NOT = """
import sys
import pyvips
from media_jobs.pipeline.readers import vips
vips.lock()
folder = sys.argv[1]
for format in ("jpeg", "png", "webp", "gif", "tiff"):
    assert vips.load(format, f"{folder}/{format}").width == 32, format
    assert pyvips.Image.new_from_file(f"{folder}/{format}").width == 32, format
opened, told = [], []
for name in sys.argv[2:]:
    try:
        pyvips.Image.new_from_file(f"{folder}/{name}")
        opened.append(name)
    except pyvips.Error:
        pass
named = {"svgload": "a.svg", "heifload": "a.avif", "csvload": "a.csv", "matrixload": "a.mat", "uhdrload": "jpeg"}
for loader, name in named.items():
    try:
        pyvips.Operation.call(loader, f"{folder}/{name}")
        opened.append(loader)
    except pyvips.Error as error:
        told.append(str(error))
if opened or not all("blocked" in text for text in told):
    sys.exit(f"opened {opened}, told {told}")
"""


def test_only_listed_loaders_run(tmp_path: Path) -> None:
    """In a process of its own, because locking is for life. The refused files are right ones of their kind."""
    allowed = {
        "jpeg": images.jpeg(32, 32),
        "png": images.png(32, 32),
        "webp": images.webp(32, 32),
        "gif": images.gif(32, 32),
        "tiff": images.tiff(32, 32),
    }
    refused = {
        "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "a.avif": images.avif(),
        "a.csv": b"1,2\n3,4\n",
        "a.mat": b"2 2\n1 2\n3 4\n",
        "a.ppm": b"P6\n1 1\n255\n\0\0\0",
        "a.bmp": images.bmp(),
    }
    for name, data in (allowed | refused).items():
        (tmp_path / name).write_bytes(data)
    unlocked = ALLOWED_AND_NOT.replace("vips.lock()\n", "")
    without = run(unlocked, tmp_path, refused)
    assert all(name in without for name in ("a.svg", "a.avif", "a.csv", "a.mat")), "these can be opened at all"
    assert run(ALLOWED_AND_NOT, tmp_path, refused) == ""


def run(script: str, folder: Path, names: dict[str, bytes]) -> str:
    told = subprocess.run(
        [sys.executable, "-c", script, str(folder), *names], check=False, capture_output=True, text=True
    )
    return told.stderr
