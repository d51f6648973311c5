"""Each encoder writes what the rendition says, and only pixels and rights."""

import pytest
import pyvips

from media_jobs.demo.exif_writer import Facts, with_facts
from media_jobs.pipeline.encode import encode, working_bytes
from media_jobs.pipeline.privacy.embed import xmp_packet
from media_jobs.pipeline.recipes import Chroma, Format, Rendition
from media_jobs.pipeline.values import Rights
from tests.formats.pictures import flat, jpeg, near, opened, quadrants

WRITTEN = (Format.JPEG, Format.WEBP, Format.AVIF, Format.PNG)
NOBODY = Rights()
SOMEBODY = Rights(creator="Ada Photographer", copyright="© Ada")


def made(picture, format, rights=NOBODY, **settings):
    return encode(picture, Rendition("r", 100, **settings), format, rights)


def noisy():
    return (quadrants() + pyvips.Image.gaussnoise(64, 48, sigma=20, seed=1)).cast("uchar")


@pytest.mark.parametrize("format", WRITTEN)
@pytest.mark.parametrize("colour", [(200, 100, 50), (200, 100, 50, 90), (90,), (90, 60)], ids=len)
@pytest.mark.parametrize("size_px", [(1, 1), (33, 17)])
def test_every_kind_of_picture_goes_into_every_format(format, colour, size_px):
    picture = opened(made(flat(*colour, size_px=size_px), format, quality=95))
    assert (picture.width, picture.height) == size_px
    keeps_alpha = format is not Format.JPEG and len(colour) in (2, 4)
    assert picture.hasalpha() == keeps_alpha
    if keeps_alpha:
        assert abs(picture(0, 0)[-1] - colour[-1]) <= 2
    else:
        assert len(colour) in (2, 4) or near(tuple(picture(0, 0)[:1]), colour[:1], 4)


@pytest.mark.parametrize("format", [Format.JPEG, Format.PNG])
@pytest.mark.parametrize("colour", [(90,), (90, 255)], ids=len)
def test_grey_stays_grey_where_the_format_knows_it(format, colour):
    assert opened(made(flat(*colour), format)).interpretation == "b-w"


def test_transparency_is_white_in_jpeg():
    assert near(tuple(opened(made(flat(255, 0, 0, 0), Format.JPEG))(9, 9)), (255, 255, 255), 2)


@pytest.mark.parametrize("quality", [60, 82])
def test_a_jpeg_of_much_grain_has_a_fifth_fewer_bytes_than_by_the_standard_table_and_is_nearly_as_near(quality):
    photo = (quadrants().resize(8).gaussblur(1) + pyvips.Image.gaussnoise(512, 384, sigma=12, seed=1)).cast("uchar")
    standard = photo.jpegsave_buffer(Q=quality, optimize_coding=True, subsample_mode="on", keep="none")
    ours = made(photo, Format.JPEG, quality=quality)
    far, farther = (((opened(jpeg) - photo) ** 2).avg() for jpeg in (standard, ours))
    assert 0.6 < len(ours) / len(standard) < 0.8
    assert farther / far < 1.15


@pytest.mark.parametrize("format", [Format.JPEG, Format.WEBP, Format.AVIF])
def test_quality_decides_the_size(format):
    assert len(made(noisy(), format, quality=30)) < len(made(noisy(), format, quality=90))


@pytest.mark.parametrize(("progressive", "scans"), [(None, 0), (False, 0), (True, 1)])
def test_a_jpeg_is_progressive_where_it_shall_be(progressive, scans):
    picture = opened(made(quadrants(), Format.JPEG, progressive=progressive))
    assert bool(picture.get("jpeg-multiscan")) == bool(scans)


def test_a_png_is_interlaced_where_it_shall_be():
    assert not opened(made(quadrants(), Format.PNG)).get_typeof("interlaced")
    assert opened(made(quadrants(), Format.PNG, progressive=True)).get("interlaced") == 1


@pytest.mark.parametrize(
    ("quality", "chroma", "stored"),
    [
        (82, Chroma.AUTO, "4:2:0"),
        (90, Chroma.AUTO, "4:4:4"),
        (82, Chroma.FULL, "4:4:4"),
        (95, Chroma.HALF, "4:2:0"),
    ],
)
def test_chroma_is_stored_as_finely_as_asked(quality, chroma, stored):
    picture = opened(made(quadrants(), Format.JPEG, quality=quality, chroma=chroma))
    assert picture.get("jpeg-chroma-subsample") == stored


def test_a_large_jpeg_has_no_tables_of_its_own_by_itself():
    """Its coefficients would be held, all of them."""
    large = pyvips.Image.black(2600, 2600, bands=3).copy(interpretation="srgb")
    assert (
        len(made(large, Format.JPEG))
        == len(made(large, Format.JPEG, effort=0))
        > len(made(large, Format.JPEG, effort=5))
    )
    assert working_bytes(Rendition("r", 2600), Format.JPEG, 2600 * 2600) == 0
    assert working_bytes(Rendition("r", 2500), Format.JPEG, 2500 * 2500) > 0


@pytest.mark.parametrize(
    ("wished", "progressive"),
    [
        ({"effort": 5}, False),
        ({"effort": 7}, True),
        ({"effort": 9}, True),
        ({"effort": 9, "progressive": False}, False),
    ],
)
def test_effort_decides_whether_a_jpeg_is_progressive_unless_that_is_said(wished, progressive):
    assert bool(opened(made(quadrants(), Format.JPEG, **wished)).get("jpeg-multiscan")) == progressive


def test_the_more_effort_the_smaller_a_jpeg_is():
    photo = quadrants().resize(8).gaussblur(1) + pyvips.Image.gaussnoise(512, 384, sigma=12, seed=1)
    sizes = [len(made(photo.cast("uchar"), Format.JPEG, effort=effort)) for effort in (4, 5, 7, 9)]
    assert sizes == sorted(set(sizes), reverse=True)


@pytest.mark.parametrize(
    ("wished", "bytes_per_pixel"),
    [
        ({"effort": 0}, 0),
        ({"effort": 0, "progressive": True}, 6),
        ({"effort": 5}, 6),
        ({"effort": 5, "quality": 90}, 12),
        ({"effort": 5, "quality": 90, "chroma": Chroma.HALF}, 6),
        ({"effort": 9, "chroma": Chroma.FULL}, 16),
    ],
)
def test_what_a_jpeg_encoder_holds_is_known_before(wished, bytes_per_pixel):
    assert working_bytes(Rendition("r", 100, **wished), Format.JPEG, 1_000) == 1_000 * bytes_per_pixel


@pytest.mark.parametrize("format", [Format.WEBP, Format.AVIF, Format.PNG])
def test_effort_reaches_the_encoder(format):
    assert made(noisy(), format, effort=0) != made(noisy(), format, effort=3)


@pytest.mark.parametrize("format", WRITTEN)
def test_the_rights_are_in_the_file_and_nothing_of_the_source_is(format):
    camera = opened(with_facts(jpeg(), Facts(make="Gallmann", model="Pocket G1", creator="Somebody Else")))
    assert {"exif-data", "xmp-data"} <= set(camera.get_fields())
    assert opened(made(camera, format, SOMEBODY)).get("xmp-data") == xmp_packet(SOMEBODY)
    anonymous = made(camera, format)
    assert not {"xmp-data", "exif-data", "iptc-data", "icc-profile-data"} & set(opened(anonymous).get_fields())
    for data in (anonymous, made(camera, format, SOMEBODY)):
        assert b"Gallmann" not in data
        assert b"Somebody Else" not in data
