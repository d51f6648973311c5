"""What is read from a picture in each language and container, and what of it may be written down."""

import json
import shutil
import struct
import subprocess
import zlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from media_jobs.pipeline.privacy import facts as privacy
from media_jobs.pipeline.values import FACTS, Keep
from tests.formats import facts, heif

EVERYTHING = Keep(timestamps=True, camera_info=True, gps=True, device_serial=True)
NOTHING = Keep(timestamps=False, camera_info=False, gps=False, device_serial=False)

EXIF = facts.secret_exif()
MARKED = b"Exif\0\0" + EXIF
RAW_PROFILE = b"Raw profile type exif\0\nexif\n %d\n" % len(MARKED) + MARKED.hex().encode()

CR3 = heif.box(b"ftyp", b"crx \0\0\0\1") + heif.box(
    b"moov",
    heif.box(
        b"uuid",
        bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"),
        heif.box(b"CMT1", facts.exif(facts.CAMERA)),
        heif.box(b"CMT2", facts.exif(facts.DETAIL)),
        heif.box(b"CMT3", b"MAKERNOTE"),
        heif.box(b"CMT4", facts.exif(facts.GPS)),
    ),
)
RAF = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 100, 0) + bytes(8)

#: The same EXIF in every container that has a place for it.
CONTAINERS = {
    "jpeg": facts.jpeg_with(exif=EXIF),
    "png": facts.png_with((b"eXIf", EXIF)),
    "png (ImageMagick's way)": facts.png_with((b"tEXt", RAW_PROFILE)),
    "webp": facts.webp_with((b"EXIF", EXIF)),
    "webp (with JPEG's mark)": facts.webp_with((b"EXIF", MARKED)),
    "tiff": EXIF,
    "heic": facts.heif_with(exif=EXIF),
    "avif": facts.heif_with(exif=EXIF, brand=b"avif"),
    **dict.fromkeys(("dng", "cr2", "nef", "arw"), EXIF),
    "orf": b"IIRO" + EXIF[4:],
    "rw2": b"IIU\0" + EXIF[4:],
    "rw2 (in its JPEG)": b"IIU\0" + facts.exif({0x002E: facts.jpeg_with(exif=EXIF)})[4:],
    "cr3": CR3,
    "raf": RAF + facts.jpeg_with(exif=EXIF),
}


def metadata(data: bytes, format: str, folder: Path, keep: Keep = EVERYTHING) -> dict[str, Any]:
    found = facts.found(data, format, folder)
    written = privacy.metadata(privacy.extract(found), found, keep)
    json.dumps(written)
    return written


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_fact_is_read_from_exif_in_every_container(container: str, tmp_path: Path) -> None:
    assert metadata(CONTAINERS[container], container.split(" ", maxsplit=1)[0], tmp_path) == {
        "orientation": 1,
        "captureDate": "2024-05-01T12:30:00+02:00",
        "cameraMake": "Gallmann",
        "cameraModel": "Pocket G1",
        "lens": "Summilux 1.7",
        "exposureTime": "1/250",
        "fNumber": 1.7,
        "iso": 200,
        "focalLength": 4.25,
        "gps": {"latitude": 47.3769, "longitude": 8.5417, "altitude": -402.5},
        "bodySerial": "SN-4711",
        "lensSerial": "L-0815",
    }


def test_all_facts_of_the_table_are_read(tmp_path: Path) -> None:
    assert metadata(CONTAINERS["jpeg"], "jpeg", tmp_path).keys() - {"orientation"} == FACTS.keys()


def test_both_byte_orders_are_read(tmp_path: Path) -> None:
    swapped = facts.exif(facts.CAMERA, facts.DETAIL, facts.GPS, order=">")
    extracted = [facts.extracted(facts.jpeg_with(exif=block), "jpeg", tmp_path) for block in (EXIF, swapped)]
    assert extracted[0] == extracted[1]


@pytest.mark.parametrize(
    ("switch", "fields"),
    [
        ("timestamps", {"captureDate"}),
        ("camera_info", {"cameraMake", "cameraModel", "lens", "exposureTime", "fNumber", "iso", "focalLength"}),
        ("gps", {"gps"}),
        ("device_serial", {"bodySerial", "lensSerial"}),
    ],
)
def test_each_switch_covers_its_facts_and_no_others(switch: str, fields: set[str], tmp_path: Path) -> None:
    keep = replace(NOTHING, **{switch: True})
    assert set(metadata(CONTAINERS["jpeg"], "jpeg", tmp_path, keep)) == fields | {"orientation"}


def test_position_and_serial_numbers_are_not_kept_unless_asked_for(tmp_path: Path) -> None:
    written = json.dumps(metadata(CONTAINERS["jpeg"], "jpeg", tmp_path, Keep()))
    assert not [secret for secret in ("gps", "47.", "SN-4711", "L-0815") if secret in written]


# --- XMP and IPTC, where EXIF says nothing ---------------------------------------------------------

XMP = facts.xmp(
    'tiff:Make="Gallmann" tiff:Model="Pocket G1" aux:Lens="Summilux" aux:SerialNumber="SN-4711"'
    ' exif:DateTimeOriginal="2024-05-01T12:30:00.25+02:00" exif:ExposureTime="1/250" exif:FNumber="17/10"'
    ' exif:GPSLatitude="47,22.614N" exif:GPSLongitude="8,32,30.12W" exif:GPSAltitude="805/2" exif:GPSAltitudeRef="0"',
    "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>200</rdf:li></rdf:Seq></exif:ISOSpeedRatings>",
)


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("jpeg", facts.jpeg_with(xmp=XMP)),
        ("jpeg", facts.jpeg_with(photoshop=facts.resource(0x0424, XMP))),
        ("jpeg", facts.jpeg_with(exif=facts.exif({0x02BC: XMP}))),
        ("png", facts.png_with((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))),
        ("png", facts.png_with((b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0\0" + zlib.compress(XMP)))),
        (
            "png",
            facts.png_with((b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(b"\nxmp\n 9\n" + XMP.hex().encode()))),
        ),
        ("webp", facts.webp_with((b"XMP ", XMP))),
        ("gif", facts.gif_with(facts.gif_xmp(XMP))),
        ("tiff", facts.exif({0x02BC: XMP})),
        ("heic", facts.heif_with(xmp=XMP)),
        ("avif", facts.avif_with(xmp=XMP)),
    ],
)
def test_facts_are_read_from_xmp_in_every_container(format: str, data: bytes, tmp_path: Path) -> None:
    assert metadata(data, format, tmp_path) == {
        "orientation": 1,
        "captureDate": "2024-05-01T12:30:00+02:00",
        "cameraMake": "Gallmann",
        "cameraModel": "Pocket G1",
        "lens": "Summilux",
        "exposureTime": "1/250",
        "fNumber": 1.7,
        "iso": 200,
        "gps": {"latitude": 47.3769, "longitude": -8.5417, "altitude": 402.5},
        "bodySerial": "SN-4711",
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T12:30Z", "2024-05-01T12:30:00Z"),
        ("2024-05-01T12:30:59", "2024-05-01T12:30:59"),
        ("2024-13-01", None),
        ("2024-05-01T12:30:00+99:00", "2024-05-01T12:30:00"),
        ("2024-05-01T12:30:00+0٢:00", "2024-05-01T12:30:00"),
        ("yesterday", None),
        ("1923", "1923"),
        ("1923-05", "1923-05"),
        ("1923-13", None),
        ("1923x", None),
        ("0001", None),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31T23:59:59", None),
        ("1503-06-01", "1503-06-01"),
    ],
)
def test_a_date_in_xmp_is_taken_as_far_as_it_is_one(written: str, read: str | None, tmp_path: Path) -> None:
    data = facts.jpeg_with(xmp=facts.xmp(f'photoshop:DateCreated="{written}"'))
    assert metadata(data, "jpeg", tmp_path).get("captureDate") == read


@pytest.mark.parametrize(
    ("time", "read"),
    [(b"123000+0200", "2024-05-01T12:30:00+02:00"), (b"123000", "2024-05-01T12:30:00"), (b"noon", "2024-05-01")],
)
def test_the_date_in_iptc_comes_with_its_time(time: bytes, read: str, tmp_path: Path) -> None:
    data = facts.jpeg_with(photoshop=facts.iptc((55, b"20240501"), (60, time)))
    assert metadata(data, "jpeg", tmp_path)["captureDate"] == read


@pytest.mark.parametrize(
    ("day", "read"),
    [
        (b"19230000", "1923"),
        (b"19230500", "1923-05"),
        (b"00000000", None),
        (b"00010101", None),
        (b"15030601", "1503-06-01"),
    ],
)
def test_a_date_in_iptc_may_lack_its_day(day: bytes, read: str | None, tmp_path: Path) -> None:
    data = facts.jpeg_with(photoshop=facts.iptc((55, day)))
    assert metadata(data, "jpeg", tmp_path).get("captureDate") == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1923:00:00 00:00:00", "1923"),
        ("1923:05:00 00:00:00", "1923-05"),
        ("1923:  :     :  :  ", "1923"),
        ("0001:01:01 00:00:00", None),
        ("9999:12:31 23:59:59", None),
        ("    :  :     :  :  ", None),
        ("1923:13:00 00:00:00", None),
    ],
)
def test_a_date_in_exif_is_taken_as_far_as_it_is_known(written: str, read: str | None, tmp_path: Path) -> None:
    data = facts.jpeg_with(exif=facts.exif({}, {0x9003: written}))
    assert metadata(data, "jpeg", tmp_path).get("captureDate") == read


# --- nonsense --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gps",
    [
        {**facts.GPS, 2: ((47, 1), (22, 1), (3684, 0))},
        {**facts.GPS, 2: ((0, 0), (0, 0), (0, 0))},
        {**facts.GPS, 2: (Fraction(91), Fraction(0), Fraction(0))},
        {**facts.GPS, 4: (Fraction(180), Fraction(1), Fraction(0))},
        {**facts.GPS, 1: "X"},
        {tag: value for tag, value in facts.GPS.items() if tag != 3},
    ],
)
def test_an_impossible_position_is_none(gps: facts.Tags, tmp_path: Path) -> None:
    assert "gps" not in metadata(facts.jpeg_with(exif=facts.exif(facts.CAMERA, None, gps)), "jpeg", tmp_path)


def test_an_impossible_altitude_does_not_cost_the_position(tmp_path: Path) -> None:
    data = facts.jpeg_with(exif=facts.exif({}, None, {**facts.GPS, 6: ((1, 0),)}))
    assert metadata(data, "jpeg", tmp_path)["gps"] == {"latitude": 47.3769, "longitude": 8.5417}


@pytest.mark.parametrize(
    "detail",
    [
        {0x829A: ((1, 0),), 0x829D: ((0, 0),), 0x8827: 0, 0x920A: ((0, 1),)},
        {0x829A: ((4294967295, 1),), 0x829D: ((4294967295, 1),), 0x8827: 65535, 0x920A: ((4294967295, 1),)},
        {0x9003: "0000:00:00 00:00:00", 0xA431: "\0\0\0", 0xA434: "   "},
        {0x9003: "2024:02:30 12:00:00", 0x829A: "1/250", 0x8827: "200"},
    ],
)
def test_impossible_values_are_absent(detail: facts.Tags, tmp_path: Path) -> None:
    data = facts.jpeg_with(exif=facts.exif({}, detail))
    assert metadata(data, "jpeg", tmp_path) == {"orientation": 1}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(Fraction(1, 8000), "1/8000"), (Fraction(3, 10), "0.3"), (Fraction(5, 2), "2.5"), (Fraction(30), "30")],
)
def test_exposure_times_are_written_as_photographers_do(seconds: Fraction, text: str, tmp_path: Path) -> None:
    data = facts.jpeg_with(exif=facts.exif({}, {0x829A: seconds}))
    assert metadata(data, "jpeg", tmp_path)["exposureTime"] == text


def test_a_date_without_offset_stays_local(tmp_path: Path) -> None:
    data = facts.jpeg_with(exif=facts.exif({}, {0x9003: "2020:02:29 23:59:58", 0x9011: "local"}))
    assert metadata(data, "jpeg", tmp_path)["captureDate"] == "2020-02-29T23:59:58"


def test_when_a_picture_was_scanned_or_edited_is_not_when_it_was_taken(tmp_path: Path) -> None:
    block = facts.exif({0x0132: "2020:01:01 00:00:00"}, {0x9004: "2020:01:01 00:00:00"})
    packet = facts.xmp('exif:DateTimeDigitized="2020-01-01"')
    assert metadata(facts.jpeg_with(exif=block, xmp=packet), "jpeg", tmp_path) == {"orientation": 1}


def test_control_characters_and_endless_names_do_not_get_through(tmp_path: Path) -> None:
    data = facts.jpeg_with(exif=facts.exif({0x010F: "Evil\x1b[31m\r\nCorp\u202e", 0x0110: "M" * 4000}))
    written = metadata(data, "jpeg", tmp_path)
    assert written["cameraMake"] == "Evil [31m Corp"
    assert written["cameraModel"] == "M" * 100


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
def test_a_file_that_breaks_off_costs_facts_and_raises_nothing(container: str, share: float, tmp_path: Path) -> None:
    data = CONTAINERS[container]
    extracted = facts.extracted(data[: int(len(data) * share)], container.split(" ", maxsplit=1)[0], tmp_path)
    assert set(extracted.facts) <= set(metadata(data, container.split(" ", maxsplit=1)[0], tmp_path))


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_xmp_with_a_document_type_is_not_read(doctype: str, tmp_path: Path) -> None:
    packet = facts.xmp('tiff:Make="Gallmann"', "<tiff:Model>&b;</tiff:Model>", before=doctype)
    assert metadata(facts.jpeg_with(xmp=packet), "jpeg", tmp_path) == {"orientation": 1}


def test_a_directory_that_leads_to_itself_ends(tmp_path: Path) -> None:
    looped = bytearray(facts.exif(facts.CAMERA))
    following = 8 + 2 + 12 * len(facts.CAMERA)
    looped[following : following + 4] = struct.pack("<I", 8)
    assert metadata(bytes(looped), "tiff", tmp_path)["cameraMake"] == "Gallmann"


def test_thousands_of_blocks_are_not_all_read(tmp_path: Path) -> None:
    many = [facts.segment(0xE1, b"Exif\0\0" + facts.exif({0x100: 1})) for _ in range(1000)]
    extracted = facts.extracted(facts.jpeg(*many, facts.segment(0xE1, MARKED)), "jpeg", tmp_path)
    assert extracted.names == ("EXIF ImageWidth", "metadata beyond 20 blocks")


@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool: apt-get install libimage-exiftool-perl")
@pytest.mark.parametrize("container", ["jpeg", "png", "webp", "tiff", "heic"])
def test_exiftool_reads_the_same(container: str, tmp_path: Path) -> None:
    ours = metadata(CONTAINERS[container], container, tmp_path)
    command = ["exiftool", "-json", "-n", str(tmp_path / "source")]
    theirs = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
    assert theirs["Make"] == ours["cameraMake"]
    assert theirs["LensModel"] == ours["lens"]
    assert theirs["DateTimeOriginal"] == "2024:05:01 12:30:00"
    assert (theirs["ExposureTime"], theirs["FNumber"], theirs["ISO"]) == (0.004, 1.7, 200)
    position = (theirs["GPSLatitude"], theirs["GPSLongitude"], theirs["GPSAltitude"])
    assert position == pytest.approx(tuple(ours["gps"].values()), abs=1e-6)
