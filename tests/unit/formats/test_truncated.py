"""A file that breaks off is refused as such, or shown whole where its pixels are all there. Never half of it."""

import io
import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import pyvips
from PIL import Image

from media_jobs import errors
from media_jobs.pipeline.decode import decode
from media_jobs.pipeline.formats import tiff
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits
from tests import images
from tests.formats import heif
from tests.formats.decoded import Decoded, decoded

LIMITS = Limits()
SHARES = (0.3, 0.6, 0.9, 0.97)


def noise(format: str, **options) -> bytes:
    picture = Image.frombytes("RGB", (96, 64), random.Random(1).randbytes(96 * 64 * 3))
    return images.encoded(picture, format, **options)


def animation(format: str, **options) -> bytes:
    """Four frames of noise; the first takes about a quarter of the file."""
    chance = random.Random(2)
    first, *others = (Image.frombytes("RGB", (48, 32), chance.randbytes(48 * 32 * 3)) for _ in range(4))
    buffer = io.BytesIO()
    first.save(buffer, format, save_all=True, append_images=others, **options)
    return buffer.getvalue()


STILL = {
    "jpeg": noise("JPEG"),
    "jpeg-full-colour": noise("JPEG", subsampling=0),
    "jpeg-restarts": noise("JPEG", subsampling=0, restart_marker_rows=1),
    "jpeg-progressive": noise("JPEG", progressive=True),
    "png": noise("PNG"),
    "webp": noise("WEBP"),
    "webp-lossless": noise("WEBP", lossless=True),
    "gif": noise("GIF"),
    "tiff": noise("TIFF"),
    "tiff-lzw": noise("TIFF", compression="tiff_lzw"),
    "tiff-jpeg": noise("TIFF", compression="jpeg"),
    "tiff-tiles": pyvips.Image.new_from_memory(
        random.Random(3).randbytes(96 * 64 * 3), 96, 64, 3, "uchar"
    ).tiffsave_buffer(tile=True, tile_width=16, tile_height=16),
}
MOVING = {"gif": animation("GIF"), "png": animation("PNG"), "webp": animation("WEBP", lossless=True)}


def pixels(data: bytes, tmp_path: Path, *, smaller: int = 1) -> bytes:
    (tmp_path / "source").write_bytes(data)
    with probe(tmp_path / "source", LIMITS) as found:
        width_px, height_px = found.rotated_px(0)
        return bytes(decode(found, (width_px // smaller, height_px // smaller), LIMITS).write_to_memory())


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", STILL)
def test_a_still_picture_that_breaks_off_is_truncated(name: str, share: float, tmp_path: Path):
    with pytest.raises(errors.Truncated):
        pixels(images.cut(STILL[name], share), tmp_path)


@pytest.mark.parametrize("name", STILL)
def test_a_few_bytes_less_give_the_whole_picture_or_none(name: str, tmp_path: Path):
    whole = pixels(STILL[name], tmp_path)
    for missing in (1, 2, 3, 4, 8, 12, 16):
        try:
            assert pixels(STILL[name][:-missing], tmp_path) == whole, missing
        except errors.Truncated:
            assert missing > 2 or not name.startswith("jpeg")


@pytest.mark.parametrize("missing", [4, 12, 60])
@pytest.mark.parametrize("smaller", [1, 2, 4, 8])
@pytest.mark.parametrize("name", [name for name in STILL if name.startswith("jpeg")])
def test_a_jpeg_that_lacks_the_end_of_its_last_lines_is_truncated(
    name: str, smaller: int, missing: int, tmp_path: Path
):
    with pytest.raises(errors.Truncated):
        pixels(STILL[name][:-missing], tmp_path, smaller=smaller)


@pytest.mark.parametrize("name", [name for name in STILL if name.startswith("jpeg")])
def test_a_jpeg_without_its_end_mark_is_whole(name: str, tmp_path: Path):
    assert pixels(STILL[name].removesuffix(b"\xff\xd9"), tmp_path) == pixels(STILL[name], tmp_path)


@pytest.mark.parametrize("missing", [3, 5, 8])
def test_an_arithmetic_jpeg_that_breaks_off_is_truncated_though_its_decoder_would_go_on(missing: int, tmp_path: Path):
    tables = b"\xff\xdb" + struct.pack(">HB", 67, 0) + b"\1" * 64
    frame = b"\xff\xc9" + struct.pack(">HBHHB", 11, 8, 16, 16, 1) + b"\1\x11\0"
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + random.Random(2).randbytes(8)
    data = b"\xff\xd8" + tables + frame + scan + b"\xff\xd9"
    assert pixels(data, tmp_path)
    with pytest.raises(errors.Truncated):
        pixels(data[:-missing], tmp_path)


def test_a_progressive_jpeg_that_lacks_whole_scans_is_truncated(tmp_path: Path):
    data = STILL["jpeg-progressive"]
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xc4"]
    for at in scans[2:]:
        with pytest.raises(errors.Truncated):
            pixels(data[:at], tmp_path)


def test_a_png_without_its_last_chunk_is_whole(tmp_path: Path):
    assert pixels(STILL["png"][:-12], tmp_path) == pixels(STILL["png"], tmp_path)


@pytest.mark.parametrize("share", [0.35, 0.5, 0.7, 0.95])
@pytest.mark.parametrize("format", MOVING)
def test_an_animation_shows_its_first_frame_where_that_is_whole(format: str, share: float, tmp_path: Path):
    assert pixels(images.cut(MOVING[format], share), tmp_path) == pixels(MOVING[format], tmp_path)


@pytest.mark.parametrize("format", MOVING)
def test_an_animation_that_breaks_off_in_its_first_frame_is_truncated(format: str, tmp_path: Path):
    with pytest.raises(errors.Truncated):
        pixels(images.cut(MOVING[format], 0.15), tmp_path)


def test_a_webp_that_breaks_off_in_what_follows_its_picture_is_whole(tmp_path: Path):
    data = images.webp(64, 48, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>")
    assert pixels(data[:-30], tmp_path) == pixels(data, tmp_path)


@pytest.mark.parametrize("missing", [1, 30, 10_000])
def test_a_webp_that_breaks_off_before_it_said_which_way_up_it_is_is_truncated(missing: int, tmp_path: Path):
    data = images.webp(64, 48, exif=images.exif(replace(images.CAMERA, orientation=6)))
    with pytest.raises(errors.Truncated):
        pixels(data[: max(data.index(b"EXIF"), len(data) - missing)], tmp_path)


@pytest.mark.parametrize("present_bytes", [0, 1, 4, 20, 100, 128])
def test_a_tiff_whose_later_pages_are_missing_has_its_first_page(present_bytes: int, tmp_path: Path):
    data = animation("TIFF")
    second = tiff.Tiff.parse(data).directory(8).following
    assert pixels(data[: second + present_bytes], tmp_path) == pixels(data, tmp_path)


def test_a_tiff_that_breaks_off_in_its_first_page_is_truncated(tmp_path: Path):
    data = animation("TIFF")
    with pytest.raises(errors.Truncated):
        pixels(data[: tiff.Tiff.parse(data).directory(8).following - 1_000], tmp_path)


@pytest.mark.parametrize(("bits", "found"), [(12, "12 bits a sample"), (16, "16 bits a sample")])
def test_a_deep_jpeg_is_refused_by_name(bits: int, found: str, tmp_path: Path):
    data = images.jpeg(64, 48)
    at = data.index(b"\xff\xc0") + 4
    with pytest.raises(errors.UnsupportedFormat, match=f"a JPEG with {found}"):
        pixels(data[:at] + bytes([bits]) + data[at + 1 :], tmp_path)


@pytest.mark.parametrize("marker", [0xC5, 0xC7, 0xCB, 0xCF, 0xF7])
def test_rare_kinds_of_jpeg_are_refused_by_name(marker: int, tmp_path: Path):
    data = images.jpeg(64, 48).replace(b"\xff\xc0", bytes([0xFF, marker]), 1)
    with pytest.raises(errors.UnsupportedFormat, match=r"This is an? .*JPEG"):
        pixels(data, tmp_path)


#: The second two break off in what lies behind their pixels.
BOXED = {
    "heic": heif.grid(heif.HEVC),
    "avif": heif.grid(heif.AV1),
    "heic-exif": heif.grid(heif.HEVC, exif=images.exif(images.CAMERA) + bytes(4_000)),
    "heic-alpha": heif.grid(heif.HEVC, 64, 64, helpers=(b"urn:mpeg:hevc:2015:auxid:1", *(b"urn:com:example:map",) * 2)),
}


@pytest.fixture(scope="module")
def cut_boxes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoded]:
    files = {f"{name}-{share}": images.cut(data, share) for name, data in BOXED.items() for share in SHARES}
    return decoded(files, tmp_path_factory.mktemp("cut") / "files")


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", BOXED)
def test_a_heif_that_breaks_off_is_truncated(cut_boxes, name: str, share: float):
    assert cut_boxes[f"{name}-{share}"].code == "truncated"
