"""The right way up: EXIF's eight orientations in every container, HEIF's own turns, and a person's rotation."""

from collections.abc import Callable
from pathlib import Path

import pytest
import pyvips

from media_jobs.demo.exif_writer import Facts, exif_block
from media_jobs.pipeline.decode import decode
from media_jobs.pipeline.orientation import combined, from_exif, sideways, turn
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits
from tests import images
from tests.formats import heif, raws
from tests.formats.decoded import Decoded, decoded
from tests.images import CORNERS

LIMITS = Limits()
WIDTH_PX, HEIGHT_PX = 64, 40
TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = CORNERS
#: Where the corners are after so many degrees clockwise.
ROTATED = {
    0: CORNERS,
    90: (BOTTOM_LEFT, TOP_LEFT, BOTTOM_RIGHT, TOP_RIGHT),
    180: (BOTTOM_RIGHT, BOTTOM_LEFT, TOP_RIGHT, TOP_LEFT),
    270: (TOP_RIGHT, BOTTOM_RIGHT, TOP_LEFT, BOTTOM_LEFT),
}
#: How a HEIF says what EXIF's orientation says: mirrored left to right, then rotated counter-clockwise.
HEIF_TURNS = {1: (0, 0), 2: (1, 0), 3: (0, 180), 4: (1, 180), 5: (1, 90), 6: (0, 270), 7: (1, 270), 8: (0, 90)}


def stored(format: str, orientation: int) -> bytes:
    """The test picture as a camera stores it, with the tag that tells so."""
    picture = images.quadrants(WIDTH_PX, HEIGHT_PX, orientation=orientation)
    block = exif_block(Facts(orientation=orientation))
    if format == "JPEG":
        return images.jpeg(WIDTH_PX, HEIGHT_PX, orientation=orientation)
    if format == "TIFF":
        return images.encoded(picture, format, tiffinfo={0x0112: orientation})
    return images.encoded(picture, format, exif=b"Exif\0\0" + block, quality=95)


def corners(image: pyvips.Image) -> list[list[float]]:
    points = [(image.width * x // 4, image.height * y // 4) for y in (1, 3) for x in (1, 3)]
    return [image.getpoint(*point) for point in points]


def near(found: list[list[float]], wanted: tuple[tuple[int, ...], ...]) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(abs(a - b) <= 25 for one, other in pairs for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_ends_upright_in_every_container(format: str, orientation: int, tmp_path: Path):
    (tmp_path / "source").write_bytes(stored(format, orientation))
    for rotation, wanted in ROTATED.items():
        with probe(tmp_path / "source", LIMITS) as found:
            assert (found.orientation, found.turn) == (orientation, orientation)
            assert found.displayed_px == (WIDTH_PX, HEIGHT_PX)
            size_px = found.rotated_px(rotation)
            image = decode(found, size_px, LIMITS, rotation)
        assert (image.width, image.height) == size_px
        assert size_px == ((HEIGHT_PX, WIDTH_PX) if rotation in (90, 270) else (WIDTH_PX, HEIGHT_PX))
        assert near(corners(image), wanted), rotation


@pytest.fixture(scope="module")
def turned_by_the_file(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoded]:
    files: dict[str, bytes] = {}
    for name, codec in (("heic", heif.HEVC), ("avif", heif.AV1)):
        for orientation, (mirrored, degrees) in HEIF_TURNS.items():
            turns = [heif.mirror(1)] * mirrored + [heif.rotation(degrees)] * bool(degrees)
            facts = exif_block(Facts(orientation=orientation))
            files[f"{name}-{orientation}"] = heif.grid(codec, 128, 96, *turns, exif=facts)
    return decoded(files, tmp_path_factory.mktemp("heif") / "files")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["heic", "avif"])
def test_a_heif_is_turned_once_though_its_exif_says_so_too(turned_by_the_file, format: str, orientation: int):
    found = turned_by_the_file[f"{format}-{orientation}"]
    stored_corners = pyvips.Image.new_from_array([[0, 1], [2, 3]])
    upright = turn(stored_corners.copy_memory(), orientation)
    wanted = [CORNERS[int(upright.getpoint(x, y)[0])] for y in (0, 1) for x in (0, 1)]
    assert (found.code, found.orientation) == ("", orientation)
    assert found.size_px == ((96, 128) if sideways(orientation) else (128, 96))
    assert found.shows(*wanted)


def preview_px(orientation: int) -> tuple[int, int]:
    """Its width and height as displayed."""
    return (128, 192) if sideways(orientation) else (192, 128)


def raw_files() -> dict[str, bytes]:
    """Each with a preview that lies as the sensor does, which is wider than high."""
    makers: dict[str, Callable[..., bytes]] = {
        "dng": raws.dng,
        "nef": raws.nef,
        "arw": raws.arw,
        "cr2": raws.cr2,
        "orf": raws.orf,
        "rw2": raws.rw2,
    }
    files: dict[str, bytes] = {}
    for orientation in range(1, 9):
        picture = images.quadrants(*preview_px(orientation), orientation=orientation)
        preview = images.encoded(picture, "JPEG", quality=95)
        wanted = makers if orientation in (1, 3, 6, 8) else {"dng": raws.dng}
        files |= {f"{name}-{orientation}": make(preview, orientation=orientation) for name, make in wanted.items()}
    return files


@pytest.fixture(scope="module")
def from_raw_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoded]:
    return decoded(raw_files(), tmp_path_factory.mktemp("raw") / "files")


@pytest.mark.parametrize("name", raw_files())
def test_the_preview_of_a_raw_file_ends_upright(from_raw_files, name: str):
    maker, orientation = name.split("-")
    found = from_raw_files[name]
    assert (found.code, found.format, found.orientation) == ("", maker, int(orientation)), found.sentence
    assert found.size_px == preview_px(int(orientation))
    assert found.shows(*CORNERS, tolerance=25)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_one_turn_does_what_two_would(orientation: int, rotation: int):
    image = pyvips.Image.new_from_array([[0, 1, 2], [3, 4, 5]]).copy_memory()
    by_two = turn(turn(image, orientation), 1, rotation)
    at_once = turn(image, combined(orientation, rotation))
    assert (at_once.width, at_once.height) == (by_two.width, by_two.height)
    assert at_once.write_to_memory() == by_two.write_to_memory()


def test_an_upright_picture_is_handed_back_as_it_is():
    image = pyvips.Image.black(4, 4)
    assert turn(image, 1, 0) is image
    assert turn(image, 6, 270) is image


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_impossible_orientation_is_none(value: int):
    assert from_exif(exif_block(Facts(orientation=value))) == 1


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"II*\0", b"MM\0*\xff\xff\xff\xff" + bytes(20)])
def test_damaged_exif_turns_nothing(block: bytes):
    assert from_exif(block) == 1


def test_the_tag_is_read_with_and_without_its_mark():
    block = exif_block(Facts(orientation=8))
    assert from_exif(block) == from_exif(b"Exif\0\0" + block) == 8
