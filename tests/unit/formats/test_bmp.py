"""BMP: the header decides, then Pillow reads."""

import struct
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.pipeline.guard import guard
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits
from tests.formats.decoded import Decoded, decoded
from tests.images import CORNERS

WIDTH_PX, HEIGHT_PX = 16, 8


def bmp(bits: int, lines: bytes, *, palette=(), compression: int = 0, width=WIDTH_PX, height=HEIGHT_PX) -> bytes:
    """Lines from the bottom upwards, unless `height` is negative."""
    colours = b"".join(bytes((*colour[::-1], 0)) for colour in palette)
    at = 14 + 40 + len(colours)
    head = struct.pack("<2sIII", b"BM", at + len(lines), 0, at)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0) + colours + lines


def lines(*pixels: bytes) -> bytes:
    """The four corners' pixels, the top left first, as a file from the bottom upwards."""
    top, bottom = (pixels[at] * (WIDTH_PX // 2) + pixels[at + 1] * (WIDTH_PX // 2) for at in (0, 2))
    return bottom * (HEIGHT_PX // 2) + top * (HEIGHT_PX // 2)


TRUE_COLOUR = lines(*(bytes(colour[::-1]) for colour in CORNERS))
FILES = {
    "true-colour": bmp(24, TRUE_COLOUR),
    "with-padding": bmp(32, lines(*(bytes((*colour[::-1], 0)) for colour in CORNERS))),
    "palette": bmp(8, lines(b"\0", b"\1", b"\2", b"\3"), palette=(*CORNERS, *[(9, 9, 9)] * 252)),
    "run-lengths": bmp(
        8,
        b"\x08\2\x08\3\0\0" * 4 + b"\x08\0\x08\1\0\0" * 4 + b"\0\1",
        palette=(*CORNERS, *[(9, 9, 9)] * 252),
        compression=1,
    ),
    "top-down": bmp(24, lines(*(bytes(colour[::-1]) for colour in (*CORNERS[2:], *CORNERS[:2]))), height=-HEIGHT_PX),
    "black-and-white": bmp(1, (b"\0\xff\0\0" * 8), palette=((0, 0, 0), (255, 255, 255))),
    "cut": bmp(24, TRUE_COLOUR)[:-50],
    "run-lengths-missing": bmp(8, b"\x08\0\x08\1\0\0" * 3, palette=[(9, 9, 9)] * 256, compression=1),
    "holds-a-jpeg": bmp(24, TRUE_COLOUR, compression=4),
    "two-bits": bmp(2, bytes(64)),
}
FILES["run-lengths-cut"] = FILES["run-lengths"][:-20]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoded]:
    return decoded(FILES, tmp_path_factory.mktemp("bmp") / "files")


@pytest.mark.parametrize("name", ["true-colour", "with-padding", "palette", "run-lengths", "top-down"])
def test_each_way_of_storing_colours_is_read_the_right_way_up(results, name):
    found = results[name]
    assert (found.format, found.size_px, found.bands) == ("bmp", (WIDTH_PX, HEIGHT_PX), 3), found.sentence
    assert found.shows(*CORNERS, tolerance=0)


def test_black_and_white_is_grey(results):
    assert results["black-and-white"].bands == 1
    assert results["black-and-white"].shows((0,), (255,), (0,), (255,), tolerance=0)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("cut", "truncated"),
        ("run-lengths-cut", "truncated"),
        ("run-lengths-missing", "undecodable"),
        ("holds-a-jpeg", "unsupported_format"),
        ("two-bits", "unsupported_format"),
    ],
)
def test_what_cannot_be_read_says_why(results, name, code):
    assert results[name].code == code


@pytest.mark.parametrize(("width", "height"), [(2**31 - 1, 2**31 - 1), (70_000, -70_000)])
def test_the_header_decides_how_large_it_may_be(tmp_path: Path, width: int, height: int):
    (tmp_path / "source").write_bytes(bmp(8, bytes(64), width=width, height=height, compression=1))
    with pytest.raises(errors.TooManyPixels), probe(tmp_path / "source", Limits()) as found:
        guard(found, Limits(), largest_px=(200, 200))
