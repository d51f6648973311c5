"""What a picture may cost, decided from its header."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from media_jobs import errors
from media_jobs.pipeline.guard import guard
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits
from tests import images
from tests.formats import bombs, heif

LIMITS = Limits()
SMALL = (200, 200)
MB = 1_048_576


def check(data: bytes, tmp_path: Path, limits: Limits = LIMITS) -> None:
    source = tmp_path / "source"
    source.write_bytes(data)
    with probe(source, limits) as found:
        guard(found, limits, largest_px=SMALL)


@pytest.mark.parametrize(
    ("bomb", "refusal"),
    [
        (images.jpeg_bomb(), errors.TooManyPixels),
        (images.png_bomb(), errors.TooManyPixels),
        (images.gif_bomb(), errors.TooManyPixels),
        (images.webp_bomb(), errors.TooManyPixels),
        (bombs.avif(), errors.TooManyPixels),
        (images.gif_with(frames=40_000), errors.TooManyFrames),
        (bombs.tiff_of_pages(40_000), errors.TooManyFrames),
        (bombs.nested_tiff(10_000), errors.Undecodable),
        (bombs.tiff_of_entries(65_535), errors.Undecodable),
    ],
    ids=["jpeg", "png", "gif", "webp", "avif", "gif-frames", "tiff-pages", "tiff-nested", "tiff-entries"],
)
def test_bombs_are_refused_from_their_header(bomb: bytes, refusal: type[errors.ImageRefused], tmp_path: Path) -> None:
    with pytest.raises(refusal):
        check(bomb, tmp_path)


def test_the_pixel_limit_is_inclusive(tmp_path: Path) -> None:
    check(images.png(100, 100), tmp_path, Limits(pixels=10_000))
    with pytest.raises(errors.TooManyPixels, match="10,000 pixels; at most 9,999"):
        check(images.png(100, 100), tmp_path, Limits(pixels=9_999))


def test_a_file_over_the_limit_is_not_even_opened(tmp_path: Path) -> None:
    data = images.png(100, 100)
    check(data, tmp_path, Limits(bytes=len(data)))
    with pytest.raises(errors.FileTooLarge):
        check(data + b"\0", tmp_path, Limits(bytes=len(data)))


def animation(format: str, frames: int) -> bytes:
    pictures = [Image.new("RGB", (40, 30), (50 * index, 90, 9)) for index in range(frames)]
    return images.encoded(pictures[0], format, save_all=True, append_images=pictures[1:])


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_all_frames_of_an_animation_are_counted(format: str, tmp_path: Path) -> None:
    data = animation(format, 5)
    check(data, tmp_path, Limits(pixels=6_000, frames=5))
    with pytest.raises(errors.TooManyPixels, match="5 frames of together 6,000 pixels"):
        check(data, tmp_path, Limits(pixels=5_999))
    with pytest.raises(errors.TooManyFrames):
        check(data, tmp_path, Limits(frames=4))


def test_pages_of_a_tiff_are_pictures_of_their_own(tmp_path: Path) -> None:
    data = animation("TIFF", 5)
    check(data, tmp_path, Limits(pixels=1_200, frames=5))
    with pytest.raises(errors.TooManyFrames):
        check(data, tmp_path, Limits(frames=4))


def test_frames_that_the_file_has_no_room_for_are_not_believed(tmp_path: Path) -> None:
    data = animation("PNG", 2)
    at = data.index(b"acTL") + 4
    check(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :], tmp_path)


@pytest.mark.parametrize("damage", ["loop", "beyond"])
def test_pages_that_loop_or_are_missing_leave_the_first_one_alone(damage: str, tmp_path: Path) -> None:
    data = bytearray(animation("TIFF", 2))
    first = int.from_bytes(data[4:8], "little")
    following = first + 2 + 12 * data[first]
    data[following : following + 4] = (first if damage == "loop" else 10**9).to_bytes(4, "little")
    check(bytes(data), tmp_path)


def test_much_picture_in_few_bytes_is_implausible_but_only_where_it_is_large(tmp_path: Path) -> None:
    check(images.png_bomb(3_900), tmp_path)
    with pytest.raises(errors.ImplausibleRatio, match="at most 2,000 times"):
        check(images.png_bomb(4_100), tmp_path)
    check(images.png_bomb(4_100), tmp_path, Limits(ratio=10**6))


def test_what_must_be_held_whole_costs_more(tmp_path: Path) -> None:
    limits = Limits(memory_bytes=100 * MB)
    check(images.jpeg(1200, 1000), tmp_path, limits)
    for whole in (
        images.jpeg(1200, 1000, progressive=True, subsampling=0),
        images.gif(1200, 1000),
        heif.grid(heif.LARGE_HEVC, 1200, 1000),
        heif.grid(heif.LARGE_AV1, 1200, 1000),
        images.bmp(1200, 1000),
    ):
        with pytest.raises(errors.TooMuchMemory, match="100 MB are allowed"):
            check(whole, tmp_path, limits)


def test_a_phones_largest_photo_fits_into_the_default_memory(tmp_path: Path) -> None:
    flat = Limits(ratio=10**6)
    check(heif.grid(heif.LARGE_HEVC, 8064, 6048, heif.rotation(90)), tmp_path, flat)
    check(heif.grid(heif.LARGE_AV1, 8064, 6048, heif.rotation(90)), tmp_path, flat)


ALLOWED_AND_NOT = """
import sys
import pyvips
from media_jobs.pipeline.readers import vips
vips.lock()
folder = sys.argv[1]
for format in ("jpeg", "png", "webp", "gif", "tiff", "avif"):
    assert vips.load(format, f"{folder}/{format}").width == 32, format
    assert pyvips.Image.new_from_file(f"{folder}/{format}").width == 32, format
opened, messages = [], []
for name in sys.argv[2:]:
    try:
        pyvips.Image.new_from_file(f"{folder}/{name}")
        opened.append(name)
    except pyvips.Error:
        pass
named = {"svgload": "a.svg", "csvload": "a.csv", "matrixload": "a.mat", "uhdrload": "jpeg"}
for loader, name in named.items():
    try:
        pyvips.Operation.call(loader, f"{folder}/{name}")
        opened.append(loader)
    except pyvips.Error as error:
        messages.append(str(error))
if opened or not all("blocked" in text for text in messages):
    sys.exit(f"opened {opened}, messages {messages}")
"""


def test_only_listed_loaders_run(tmp_path: Path) -> None:
    """It runs in a process of its own, because locking is for life. The refused files are right ones of their kind."""
    allowed = {
        "jpeg": images.jpeg(32, 32),
        "png": images.png(32, 32),
        "webp": images.webp(32, 32),
        "gif": images.gif(32, 32),
        "tiff": images.tiff(32, 32),
        "avif": images.avif(32, 32),
    }
    refused = {
        "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "a.csv": b"1,2\n3,4\n",
        "a.mat": b"2 2\n1 2\n3 4\n",
        "a.ppm": b"P6\n1 1\n255\n\0\0\0",
        "a.bmp": images.bmp(),
    }
    for name, data in (allowed | refused).items():
        (tmp_path / name).write_bytes(data)
    unlocked = ALLOWED_AND_NOT.replace("vips.lock()\n", "")
    without = run(unlocked, tmp_path, refused)
    assert all(name in without for name in ("a.svg", "a.csv", "a.mat")), "these can be opened at all"
    assert run(ALLOWED_AND_NOT, tmp_path, refused) == ""


def run(script: str, folder: Path, names: dict[str, bytes]) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", script, str(folder), *names], check=False, capture_output=True, text=True
    )
    return answer.stderr
