"""HEIC and AVIF, from their boxes to their pixels."""

import struct
from pathlib import Path

import pytest

from media_jobs import errors
from media_jobs.demo.exif_writer import Facts, exif_block
from media_jobs.pipeline.formats import heif as formats_heif
from media_jobs.pipeline.readers import damage
from tests.formats import heif
from tests.formats.decoded import Decoded, decoded
from tests.images import CORNERS

CODECS = {"heic": heif.HEVC, "avif": heif.AV1}
EXIF = exif_block(Facts(orientation=6))
ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
RED_OF_CORNERS = CORNERS[0][0]
#: libheif's own limits, of 1000 items for instance, must not be nearer than ours: 8064 × 6048 pixels in 192 tiles.
LARGE = heif.grid(heif.LARGE_HEVC, 8064, 6048, heif.rotation(270), helpers=(GAIN_MAP,))


def of_each_codec() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, codec in CODECS.items():
        files |= {
            f"{name}-plain": heif.grid(codec),
            f"{name}-cropped": heif.grid(codec, 128, 96, heif.crop(100, 90)),
            f"{name}-gain-map": heif.grid(codec, helpers=(GAIN_MAP,)),
            f"{name}-alpha": heif.grid(codec, helpers=(ALPHA,)),
            f"{name}-p3": heif.grid(codec, 128, 96, heif.colours(12)),
            f"{name}-srgb": heif.grid(codec, 128, 96, heif.colours(1)),
            f"{name}-exif": heif.grid(codec, exif=EXIF),
            f"{name}-exif-and-irot": heif.grid(codec, 128, 96, heif.rotation(270), exif=EXIF),
            f"{name}-lying": heif.grid(codec, 64, 64).replace(heif.size(64, 64), heif.size(640, 640)),
        }
    return files


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoded]:
    return decoded(of_each_codec(), tmp_path_factory.mktemp("heif") / "files")


@pytest.mark.parametrize("format", CODECS)
def test_tiles_become_one_picture(results, format):
    found = results[f"{format}-plain"]
    assert (found.code, found.format, found.size_px, found.bands) == ("", format, (128, 96), 3)
    assert found.shows(*CORNERS)


@pytest.mark.parametrize("format", CODECS)
def test_a_crop_is_obeyed(results, format):
    assert results[f"{format}-cropped"].size_px == (100, 90)
    assert results[f"{format}-cropped"].shows(*CORNERS)


@pytest.mark.parametrize("format", CODECS)
def test_a_gain_map_is_not_shown_and_alpha_is_kept(results, format):
    assert results[f"{format}-gain-map"].bands == 3
    assert results[f"{format}-gain-map"].shows(*CORNERS)
    assert (results[f"{format}-alpha"].code, results[f"{format}-alpha"].bands) == ("", 4)


@pytest.mark.parametrize("format", CODECS)
def test_colours_named_by_number_are_converted(results, format):
    plain, wide = results[f"{format}-srgb"], results[f"{format}-p3"]
    assert plain.shows(*CORNERS)
    red = wide.corners[0]
    assert red[0] > RED_OF_CORNERS + 10, "the same numbers are a stronger red in Display P3"


@pytest.mark.parametrize("format", CODECS)
def test_exif_does_not_turn_what_the_file_itself_turns_or_leaves(results, format):
    plain, turned = results[f"{format}-exif"], results[f"{format}-exif-and-irot"]
    assert (plain.orientation, plain.size_px) == (6, (128, 96))
    assert plain.shows(*CORNERS)
    top_left, top_right, bottom_left, bottom_right = CORNERS
    assert (turned.orientation, turned.size_px) == (6, (96, 128))
    assert turned.shows(bottom_left, top_left, bottom_right, top_right)


@pytest.mark.parametrize("format", CODECS)
def test_boxes_that_lie_about_the_size_are_refused(results, format):
    assert results[f"{format}-lying"].code == "undecodable"


@pytest.mark.parametrize(
    ("kind", "name"),
    [(b"jpeg", "JPEG"), (b"avc1", "H.264"), (b"vvc1", "H.266"), (b"j2k1", "JPEG 2000"), (b"abcd", "“abcd”")],
)
def test_other_codecs_are_refused_by_name(kind, name):
    codec = heif.HEVC
    other = heif.Codec(kind, codec.brand, codec.configuration, codec.tiles)
    with pytest.raises(errors.UnsupportedFormat, match=f"a HEIF picture coded as {name}"):
        formats_heif.header(heif.grid(other))


def test_the_codec_decides_whatever_the_brand_says():
    mislabelled = heif.Codec(b"av01", b"heic", heif.AV1.configuration, heif.AV1.tiles)
    assert formats_heif.header(heif.grid(mislabelled)).format == "avif"


def test_a_picture_made_of_itself_is_refused():
    data = heif.grid(heif.HEVC, 64, 64)
    endless = data.replace(b"dimg" + struct.pack(">HHH", 1, 1, 3), b"dimg" + struct.pack(">HHH", 1, 1, 1))
    assert endless != data
    with pytest.raises(errors.Undecodable):
        formats_heif.header(endless)


def test_tiles_far_larger_than_their_picture_are_refused():
    data = heif.grid(heif.HEVC, 128, 96).replace(heif.size(64, 64), heif.size(4000, 4000))
    with pytest.raises(errors.Undecodable):
        formats_heif.header(data)


def test_what_is_not_shown_counts_as_well():
    header = formats_heif.header(heif.grid(heif.LARGE_HEVC, 8064, 6048, heif.crop(10, 10)))
    assert (header.width_px, header.own_pixels) == (10, 8064 * 6048)


@pytest.mark.parametrize(
    ("steps", "size_px", "window"),
    [
        ((heif.crop(64, 48),), (128, 96), (32, 24, 64, 48)),
        ((heif.crop(64, 48, (-32, 1), (24, 1)), heif.rotation(90)), (96, 128), (48, 64, 48, 64)),
        ((heif.rotation(90), heif.crop(48, 64, (-24, 1), (32, 1))), (96, 128), (0, 64, 48, 64)),
        ((heif.crop(20, 10, (-54, 1), (-43, 1)), heif.mirror(0)), (128, 96), (0, 86, 20, 10)),
        ((heif.crop(20, 10, (-54, 1), (-43, 1)), heif.mirror(1)), (128, 96), (108, 0, 20, 10)),
        ((heif.crop(64, 48), heif.crop(10, 10, (-27, 1), (-19, 1))), (128, 96), (32, 24, 10, 10)),
        ((heif.crop(65, 47, (-31, 2), (-11, 3)),), (128, 96), (16, 20, 65, 47)),
    ],
)
def test_crops_count_where_they_are_listed(steps, size_px, window):
    whole = formats_heif.header(heif.grid(heif.HEVC, 128, 96, *steps)).frame
    found = whole.window
    assert (whole.width_px, whole.height_px) == size_px
    assert (found.left, found.top, found.width_px, found.height_px) == window


def test_a_limit_of_the_decoder_is_not_taken_for_a_lack_of_memory(tmp_path: Path):
    (tmp_path / "source").write_bytes(heif.grid(heif.HEVC))
    said = "Memory allocation error: Security limit exceeded: Image size 640x400 exceeds the maximum image size 48576"
    assert not damage.lacks_memory(said)
    assert damage.lacks_memory("Memory allocation error: Unspecified")
    found = damage.refusal(tmp_path / "source", "heic", said, memory_bytes=1)
    assert isinstance(found, errors.Undecodable)


def test_a_film_without_a_still_picture_is_named():
    with pytest.raises(errors.UnsupportedFormat, match="video without a still picture"):
        formats_heif.header(heif.box(b"ftyp", b"msf1") + heif.box(b"moov"))


def test_a_large_photo_of_a_phone_has_a_plausible_header():
    header = formats_heif.header(LARGE)
    assert (header.width_px, header.height_px, header.part_pixels) == (6048, 8064, 512 * 512)
