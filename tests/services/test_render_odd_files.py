"""`manage.py render` of files that tell colours, orientation, rights and dates in other ways than most."""

import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from media_jobs.pipeline.formats.png import chunk
from tests import images
from tests.formats import colours, facts
from tests.formats.colours import GREY_SAMPLES, chrm, cicp, gama, interoperability, png, with_exif
from tests.services.test_render_command import render

pytestmark = pytest.mark.slow

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
RAW_PROFILE = b"Raw profile type "


def report_of(data: bytes, folder: Path) -> Any:
    (folder / "source").write_bytes(data)
    ended = render(folder / "source", folder / "out", "--json")
    assert ended.code == 0, ended.err
    return ended.json


def full(folder: Path, name: str = "full.jpg") -> Image.Image:
    with Image.open(folder / "out" / name) as picture:
        return picture.convert("RGB")


def near(found: Any, wanted: tuple[int, ...], tolerance: int = 3) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def flat(colour: tuple[int, ...], *chunks: colours.Chunk, kind: int = 2) -> bytes:
    return png([colour] * 32, *chunks, kind=kind, height_px=32)


# --- colours --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (flat((220, 30, 30), cicp(12, 13)), (240, 0, 1)),
        (flat((128, 128, 128), gama(1)), (188, 188, 188)),
        (flat((128,), gama(1), kind=0), (188, 188, 188)),
        (flat((200, 50, 50), chrm(colours.ADOBE_RGB), gama(0.45455)), (232, 46, 46)),
        (flat((200, 50, 50), chrm(colours.ADOBE_RGB), gama(0.45455), colours.INTENT), (200, 50, 50)),
        (with_exif(images.flat_jpeg((220, 30, 30)), interoperability("R03")), (255, 24, 24)),
        (with_exif(images.flat_jpeg((220, 30, 30)), interoperability("R98", space=1)), (220, 30, 30)),
    ],
    ids=["cICP", "gAMA", "gAMA of grey", "cHRM", "sRGB first", "Adobe RGB by EXIF", "sRGB by EXIF"],
)
def test_colours_come_out_as_the_file_tells_them(data: bytes, wanted: tuple[int, ...], tmp_path: Path) -> None:
    report_of(data, tmp_path)
    assert near(full(tmp_path).getpixel((16, 16)), wanted)


def test_what_is_hdr_is_named_in_the_receipt(tmp_path: Path) -> None:
    receipt = report_of(flat((200, 50, 50), cicp(9, 16)), tmp_path)["receipt"]
    assert receipt["dropped"] == ["HDR colours (PQ)"]


# --- the way up of a PNG --------------------------------------------------------------------------


def _profile(exif: bytes, *, marked: bool = True) -> bytes:
    block = (b"Exif\0\0" if marked else b"") + exif
    return b"\nexif\n%8d\n" % len(block) + block.hex().encode() + b"\n"


SIDEWAYS, UPSIDE_DOWN = facts.exif({0x0112: 6}), facts.exif({0x0112: 3}, order=">")
NOTHING = facts.exif({0x010F: "Ada"})


@pytest.mark.parametrize(
    ("before", "later", "orientation"),
    [
        ([(b"tEXt", RAW_PROFILE + b"exif\0" + _profile(SIDEWAYS))], [], 6),
        ([(b"tEXt", RAW_PROFILE + b"APP1\0" + _profile(SIDEWAYS))], [], 6),
        ([(b"zTXt", RAW_PROFILE + b"exif\0\0" + zlib.compress(_profile(UPSIDE_DOWN)))], [], 3),
        ([(b"iTXt", RAW_PROFILE + b"APP1\0\0\0\0\0" + _profile(UPSIDE_DOWN, marked=False))], [], 3),
        ([], [(b"eXIf", SIDEWAYS)], 6),
        ([], [(b"tEXt", RAW_PROFILE + b"exif\0" + _profile(SIDEWAYS))], 6),
        ([(b"eXIf", b"Exif\0\0" + SIDEWAYS)], [], 6),
        ([(b"tEXt", RAW_PROFILE + b"exif\0" + _profile(SIDEWAYS))], [(b"eXIf", UPSIDE_DOWN)], 3),
        ([(b"eXIf", NOTHING), (b"tEXt", RAW_PROFILE + b"exif\0" + _profile(SIDEWAYS))], [], 6),
        ([(b"tEXt", RAW_PROFILE + b"exif\0" + b"\nexif\n  12\nzz" + SIDEWAYS.hex().encode())], [], 1),
        ([(b"tEXt", RAW_PROFILE + b"xmp\0" + _profile(SIDEWAYS))], [], 1),
        ([(b"tEXt", b"Comment\0" + _profile(SIDEWAYS))], [], 1),
    ],
    ids=[
        *("exif", "APP1", "packed", "without a mark", "eXIf behind", "text behind", "eXIf with a mark"),
        *("eXIf first", "eXIf without it", "damaged", "other kind", "a comment"),
    ],
)
def test_a_png_stands_upright(before: Any, later: Any, orientation: int, tmp_path: Path) -> None:
    stored = images.quadrants(64, 48, orientation=orientation)
    whole = images.encoded(stored, "PNG")
    head, tail = whole[:33], whole[whole.index(b"IEND") - 4 :]
    chunks = [b"".join(chunk(*each) for each in listed) for listed in (before, later)]
    report = report_of(head + chunks[0] + whole[33 : -len(tail)] + chunks[1] + tail, tmp_path)
    assert (report["orientation"], report["width"], report["height"]) == (orientation, 64, 48)
    for index, corner in enumerate(images.CORNERS):
        found = full(tmp_path).getpixel((16 + 32 * (index % 2), 12 + 24 * (index // 2)))
        assert near(found, corner, 30)


# --- rights and dates -----------------------------------------------------------------------------


def photo(*segments: bytes, photoshop: bytes = b"", exif: bytes = b"", xmp: bytes = b"") -> bytes:
    """A JPEG that can be decoded, with metadata."""
    whole = images.jpeg(64, 48)
    segments = (
        *((facts.segment(0xE1, b"Exif\0\0" + exif),) if exif else ()),
        *((facts.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),) if xmp else ()),
        *((facts.segment(0xED, b"Photoshop 3.0\0" + photoshop),) if photoshop else ()),
        *segments,
    )
    return whole[:2] + b"".join(segments) + whole[2:]


def with_stray(jpeg: bytes, count: int) -> bytes:
    """Other bytes behind the first segment, as if that were longer than it says."""
    end = 4 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:end] + bytes(count) + jpeg[end:]


def extended(packet: bytes) -> list[bytes]:
    """The packet in two parts, the second first."""
    half = len(packet) // 2
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">I", len(packet))
    parts = [facts.segment(0xE1, head + struct.pack(">I", at) + packet[at : at + half]) for at in (0, half, 2 * half)]
    return parts[::-1]


@pytest.mark.parametrize("count", [1, 18, 19, 600])
@pytest.mark.parametrize("progressive", [False, True])
def test_other_bytes_between_headers_cost_no_pixels(count: int, progressive: bool, tmp_path: Path) -> None:
    jpeg = images.jpeg(64, 48, progressive=progressive)
    report_of(with_stray(jpeg, count), tmp_path)
    assert near(full(tmp_path).getpixel((16, 12)), images.CORNERS[0], 30)


CREATOR = "<dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>"


@pytest.mark.parametrize(
    ("data", "creator"),
    [
        (photo(exif=facts.exif({0x013B: "حسین\u200cزاده"})), "حسین\u200cزاده"),
        (photo(xmp=facts.xmp("", "<dc:title>Salt & Pepper</dc:title>" + CREATOR.format("Ann Lee"))), "Ann Lee"),
        (photo(exif=facts.exif({0x9C9D: "山田太郎\0".encode("utf-16-le")})), "山田太郎"),
        (
            photo(
                xmp=facts.xmp("", CREATOR.format("Old")),
                photoshop=facts.resource(0x0425, bytes(range(16))) + facts.iptc((80, b"New")),
            ),
            "New",
        ),
        (photo(photoshop=facts.resource(0x2328, b"x").replace(b"8BIM", b"MeSa") + facts.iptc((80, b"New"))), "New"),
        (with_stray(photo(exif=facts.exif({}), xmp=facts.xmp("", CREATOR.format("Ann"))), 2), "Ann"),
        (photo(*extended(facts.xmp("", CREATOR.format("Ann")))), "Ann"),
    ],
    ids=[
        "letters of no width",
        "a raw ampersand",
        "XPAuthor",
        "IPTC edited later",
        "a foreign resource before IPTC",
        "other bytes before XMP",
        "extended XMP in two segments",
    ],
)
def test_the_creator_is_who_the_file_names(data: bytes, creator: str, tmp_path: Path) -> None:
    report = report_of(data, tmp_path)
    assert report["rights"]["creator"] == creator
    assert f">{creator}</rdf:li>".encode() in (tmp_path / "out" / "full.jpg").read_bytes()


@pytest.mark.parametrize(
    ("data", "date"),
    [
        (photo(exif=facts.exif({}, {0x9003: "0001:01:01 00:00:00"})), None),
        (photo(xmp=facts.xmp('photoshop:DateCreated="1923"')), "1923"),
        (photo(exif=facts.exif({}, {0x9003: "2020:05:06   :  :  "})), "2020-05-06"),
        (photo(exif=facts.exif({}, {0x9003: "2020:05:06"})), "2020-05-06"),
        (photo(exif=facts.exif({}, {0x9003: "2020:05:06 07:08"})), "2020-05-06T07:08:00"),
        (photo(exif=facts.exif({}, {0x9003: "2020-05-06T07:08:09Z"})), "2020-05-06T07:08:09"),
        (photo(exif=facts.exif({}, {0x9003: "2020:05:00 00:00:00"})), "2020-05"),
    ],
)
def test_dates_are_what_is_known(data: bytes, date: str | None, tmp_path: Path) -> None:
    assert report_of(data, tmp_path)["metadata"].get("captureDate") == date


# --- how it was made ------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["jpeg", "png", "webp", "tiff", "gif"])
def test_the_digital_source_type_is_in_every_derivative(suffix: str, tmp_path: Path) -> None:
    packet = facts.xmp(f'Iptc4xmpExt:DigitalSourceType="{AI}"')
    picture = images.quadrants(64, 48)
    data = {
        "jpeg": lambda: photo(xmp=packet),
        "png": lambda: _with_chunk(images.png(64, 48), b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet),
        "webp": lambda: images.encoded(picture, "WEBP", xmp=packet),
        "tiff": lambda: images.encoded(picture, "TIFF", tiffinfo={700: packet}),
        "gif": lambda: _gif_with(images.gif(64, 48), facts.gif_xmp(packet)),
    }[suffix]()
    report = report_of(data, tmp_path)
    assert report["rights"]["digitalSourceType"] == AI
    assert "XMP Iptc4xmpExt:DigitalSourceType" in report["receipt"]["kept"]
    assert set(map(tuple, report["receipt"]["outputs"].values())) == {("XMP Iptc4xmpExt:DigitalSourceType",)}
    if shutil.which("exiftool"):
        listed = subprocess.run(
            ["exiftool", "-json", "-XMP-iptcExt:all", *(tmp_path / "out").iterdir()], capture_output=True, check=True
        )
        assert {file["DigitalSourceType"] for file in json.loads(listed.stdout)} == {AI}


def _with_chunk(file: bytes, kind: bytes, data: bytes) -> bytes:
    return file[:33] + chunk(kind, data) + file[33:]


def _gif_with(file: bytes, extension: bytes) -> bytes:
    at = 13 + 3 * 2 ** ((file[10] & 7) + 1)
    return file[:at] + extension + file[at:]


def test_grey_pictures_stay_grey(tmp_path: Path) -> None:
    report_of(png(GREY_SAMPLES * 8, gama(1), kind=0, height_px=24), tmp_path)
    with Image.open(tmp_path / "out" / "full.jpg") as picture:
        assert picture.mode == "L"


def test_a_manifest_is_named_and_dropped(tmp_path: Path) -> None:
    box = b"jumb" + struct.pack(">I4s", 37, b"jumd") + b"c2pa" + bytes(17)
    receipt = report_of(photo(facts.segment(0xEB, b"JP\0\1\0\0\0\1" + struct.pack(">I", len(box) + 4) + box)), tmp_path)
    assert receipt["receipt"]["dropped"] == ["C2PA manifest"]
