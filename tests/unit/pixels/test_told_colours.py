"""Colours that a file tells otherwise than by an ICC profile: PNG's chunks, and EXIF's mark of Adobe RGB."""

import struct
from pathlib import Path

import pytest
import pyvips

from media_jobs.pipeline.decode import decode
from media_jobs.pipeline.formats.colours import icc
from media_jobs.pipeline.formats.colours.in_exif import Said, of_exif, of_raw
from media_jobs.pipeline.privacy import facts
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits
from tests.formats import colours, heif, pictures, profiles, raws
from tests.formats import facts as files
from tests.formats.colours import PNGS, cicp, interoperability, png, with_exif
from tests.formats.decoded import decoded

#: As colorimetry has them from Adobe RGB: a row of CORNERS of the test picture.
ADOBE_RGB_CORNERS = ((255, 24, 24), (0, 160, 8), (5, 46, 204), (248, 221, 31))


def shown(data: bytes, folder: Path) -> pyvips.Image:
    path = folder / "source"
    path.write_bytes(data)
    with probe(path, Limits()) as found:
        return decode(found, found.displayed_px, Limits())


def row(picture: pyvips.Image, bands: int) -> list[tuple[int, ...]]:
    pixels = [tuple(round(value) for value in picture(x, 0)) for x in range(picture.width)]
    return [pixel if picture.bands >= 3 else (pixel[0],) * min(bands, 3) for pixel in pixels]


@pytest.mark.parametrize("name", PNGS)
def test_a_png_has_the_colours_that_its_chunks_tell(name: str, tmp_path: Path) -> None:
    data, wanted = PNGS[name]
    for found, colour in zip(row(shown(data, tmp_path), len(wanted[0])), wanted, strict=True):
        assert pictures.near(found, colour, 2), (found, colour)


def test_hdr_is_left_flat_and_named(tmp_path: Path) -> None:
    for transfer, curve in ((16, "PQ"), (18, "HLG")):
        data = png(colours.SAMPLES, cicp(9, transfer), colours.gama(1))
        assert row(shown(data, tmp_path), 3) == list(colours.SAMPLES)
        with probe(tmp_path / "source", Limits()) as found:
            assert facts.extract(found).names == (f"HDR colours ({curve})",)


@pytest.mark.parametrize("brand", [b"avif", b"heic"])
def test_hdr_in_heif_is_named(brand: bytes, tmp_path: Path) -> None:
    data = files.heif_with(profile=b"x" * 7, brand=brand).replace(
        b"colrprof" + b"x" * 7, b"colrnclx\0\x09\0\x10\0\x09\x80"
    )
    assert files.extracted(data, brand.decode(), tmp_path).names == ("HDR colours (PQ)",)


# --- JPEG -----------------------------------------------------------------------------------------


def corners(picture: pyvips.Image) -> list[tuple[float, ...]]:
    middles = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
    return [pictures.at(picture, *middle) for middle in middles]


def are_adobe_rgb(picture: pyvips.Image) -> bool:
    return all(
        pictures.near(found, wanted, 4) for found, wanted in zip(corners(picture), ADOBE_RGB_CORNERS, strict=True)
    )


PLAIN = pictures.jpeg(Q=98, subsample_mode="off")


def test_the_figures_are_those_of_a_profile_of_adobe_rgb(tmp_path: Path) -> None:
    profile = profiles.rgb(profiles.ADOBE_RGB, gamma=563 / 256)
    tagged = pictures.encoded(pictures.tagged(pictures.quadrants(), profile), ".jpg", Q=98, subsample_mode="off")
    assert are_adobe_rgb(shown(tagged, tmp_path))


@pytest.mark.parametrize(
    "exif",
    [
        interoperability("R03"),
        interoperability("R03", order=">"),
        interoperability("R03", space=None),
        interoperability(None, space=2),
    ],
    ids=["dcf", "big endian", "without ColorSpace", "ColorSpace of old cameras"],
)
def test_a_jpeg_is_adobe_rgb_where_exif_says_so(exif: bytes, tmp_path: Path) -> None:
    assert are_adobe_rgb(shown(with_exif(PLAIN, exif), tmp_path))


@pytest.mark.parametrize(
    "exif",
    [
        interoperability("R98"),
        interoperability("THM"),
        interoperability("R98", space=1),
        interoperability("R03", space=1),  # converted to sRGB by a program that left the index alone
        interoperability(None, space=0xFFFF),
        interoperability("R03")[:-12],
        b"II*\0" + struct.pack("<I", 2**31) + bytes(40),
        b"nonsense",
    ],
)
def test_a_jpeg_is_srgb_where_exif_says_nothing_else(exif: bytes, tmp_path: Path) -> None:
    assert pictures.is_upright(shown(with_exif(PLAIN, exif), tmp_path))


def test_a_profile_goes_before_exif(tmp_path: Path) -> None:
    srgb = pictures.encoded(pictures.tagged(pictures.quadrants(), profiles.rgb(profiles.SRGB)), ".jpg", Q=98)
    assert pictures.is_upright(shown(with_exif(srgb, interoperability("R03")), tmp_path))


def test_grey_in_adobe_rgb_has_its_curve(tmp_path: Path) -> None:
    grey = pictures.encoded(pictures.flat(40), ".jpg", Q=98)
    found = shown(with_exif(grey, interoperability("R03")), tmp_path)
    assert found.bands == 1
    assert pictures.near(pictures.at(found, 0.5, 0.5), (36,), 1)


def test_cmyk_is_not_adobe_rgb(tmp_path: Path) -> None:
    ink = pictures.encoded(pictures.flat(0, 255, 255, 0, kind="cmyk"), ".jpg", Q=98)
    plain, marked = (shown(data, tmp_path) for data in (ink, with_exif(ink, interoperability("R03"))))
    assert pictures.at(plain, 0.5, 0.5) == pictures.at(marked, 0.5, 0.5)


# --- raw files: what their own EXIF says of previews ----------------------------------------------


def test_a_raw_file_in_tiff_s_clothing_says_it_where_a_jpeg_does() -> None:
    assert of_raw(interoperability("R03")) is Said.ADOBE_RGB
    assert of_raw(interoperability("R98")) is Said.SRGB
    assert of_raw(interoperability(None, space=None, note=b"Ada")) is Said.NOTHING


@pytest.mark.parametrize(("written", "read"), [(1, Said.SRGB), (2, Said.ADOBE_RGB), (3, Said.NOTHING)])
def test_nikon_says_it_in_its_maker_note(written: int, read: Said) -> None:
    inside = b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x1E, 3, 1, written, 0) + bytes(4)
    assert of_raw(interoperability(None, space=None, note=b"Nikon\0\2\x10\0\0" + inside)) is read


def test_canon_says_it_in_a_box() -> None:
    whole = interoperability("R03")
    detail = b"II*\0" + struct.pack("<I", 26) + whole[8:]  # the same offsets, but starting at the EXIF directory
    canon = heif.box(b"uuid", bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"), heif.box(b"CMT2", detail))
    head = heif.box(b"ftyp", b"crx \0\0\0\1")
    assert of_raw(head + heif.box(b"moov", canon)) is Said.ADOBE_RGB
    assert of_raw(head + heif.box(b"moov", b"")) is Said.NOTHING
    assert of_raw(head) is Said.NOTHING


def test_damage_says_nothing() -> None:
    whole = interoperability("R03", note=b"Nikon\0\2\x10\0\0II")
    assert {of_exif(whole[:size]) for size in range(len(whole))} <= set(Said)


def test_previews_are_adobe_rgb_where_they_or_the_raw_file_say_so(tmp_path: Path) -> None:
    """LibRaw stays in a process of its own."""
    preview = pictures.jpeg(640, 480, Q=98, subsample_mode="off")
    bare = preview[:2] + preview[preview.index(b"\xff\xdb") :]
    marked, srgb = (with_exif(bare, interoperability(index)) for index in ("R03", "R98"))
    files = {
        "marked.dng": raws.dng(marked),
        "marked.arw": raws.arw(marked),
        "srgb.dng": raws.dng(srgb),
        "bare.dng": raws.dng(bare),
        "told.raf": raws.raf(marked),
    }
    found = decoded(files, tmp_path / "files")
    adobe_rgb = {name for name, answer in found.items() if answer.shows(*ADOBE_RGB_CORNERS, tolerance=4)}
    assert adobe_rgb == {"marked.dng", "marked.arw", "told.raf"}
    assert all(found[name].shows(*pictures.CORNERS, tolerance=4) for name in files.keys() - adobe_rgb)


# --- the profiles that we write -------------------------------------------------------------------


def test_a_profile_of_ours_has_the_figures_of_the_one_that_all_know() -> None:
    ours = icc.profile(icc.ADOBE_RGB, grey=False)
    for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), profiles.ADOBE_RGB, strict=True):
        at = struct.unpack_from(">I", ours, ours.index(tag) + 4)[0]
        found = [value / 65_536 for value in struct.unpack_from(">3i", ours, at + 8)]
        assert found == pytest.approx(column, abs=0.0002)


def test_srgb_needs_no_profile_and_the_impossible_has_none() -> None:
    assert icc.profile(icc.SRGB, grey=False) == icc.profile(icc.SRGB, grey=True) == b""
    for white in ((0.0, 0.0), (0.3, -0.1)):
        primaries = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *white)
        assert icc.profile(icc.Colours(primaries, icc.Curve(2.2)), grey=False) == b""
