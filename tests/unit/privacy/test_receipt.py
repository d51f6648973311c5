"""The privacy receipt tells what was found, what was kept and what was not: by names, never by values."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from media_jobs.pipeline.privacy.facts import receipt
from media_jobs.pipeline.values import Keep, Receipt
from tests.formats import facts, heif

EVERYTHING = Keep(timestamps=True, camera_info=True, gps=True, device_serial=True)
NOTHING = Keep(timestamps=False, camera_info=False, gps=False, device_serial=False)

XMP = facts.xmp(
    'photoshop:City="Zurich" mine:Zurich="x"', "<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator>"
)
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
#: A manifest of two segments: only the first of which has the letters.
JUMBF = (facts.segment(0xEB, b"JP\0\1\0\0\0\1 jumb c2pa"), facts.segment(0xEB, b"JP\0\1\0\0\0\2 jumb Ada"))
RAF = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + (100).to_bytes(4, "big") + bytes(12)
FULL = facts.jpeg(
    facts.segment(0xE1, b"Exif\0\0" + facts.exif({**facts.CAMERA, 0x013B: "Ada"}, facts.DETAIL, facts.GPS)),
    facts.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
    facts.segment(0xED, b"Photoshop 3.0\0" + facts.iptc((80, b"Ida"), (90, b"Zurich")) + facts.resource(0x0409, b"x")),
    facts.segment(0xE2, b"ICC_PROFILE\0\1\1 Zurich"),
    facts.segment(0xE2, b"MPF\0 Zurich"),
    facts.segment(0xEB, b"JP\0\1 jumb c2pa Zurich"),
    facts.segment(0xE5, b"Zurich"),
    facts.segment(0xFE, b"Zurich"),
    behind=b"Zurich",
)


def of(data: bytes, folder: Path, keep: Keep = EVERYTHING, format: str = "jpeg") -> Receipt:
    return receipt(facts.extracted(data, format, folder), keep, {"full": ("XMP dc:creator",)})


def test_everything_that_was_found_is_named(tmp_path: Path) -> None:
    found = of(FULL, tmp_path).found
    assert {
        *("EXIF Make", "EXIF GPSLatitude", "EXIF MakerNote", "EXIF SerialNumber", "EXIF DateTimeOriginal"),
        *("XMP packet", "XMP dc:creator", "XMP photoshop:City", "XMP other properties", "IPTC By-line", "IPTC City"),
        *("ICC profile", "MPF pictures", "C2PA manifest", "JPEG APP5 data", "JPEG comment", "Photoshop thumbnail"),
        "data after the end",
    } <= set(found)


def test_what_was_found_was_either_kept_or_dropped(tmp_path: Path) -> None:
    for keep in (EVERYTHING, Keep(), NOTHING):
        made = of(FULL, tmp_path, keep)
        assert sorted(made.kept + made.dropped) == sorted(made.found)
        assert made.outputs == {"full": ("XMP dc:creator",)}


def test_by_default_dates_camera_and_rights_are_kept_and_position_and_serial_are_not(tmp_path: Path) -> None:
    made = of(FULL, tmp_path, Keep())
    assert {"EXIF DateTimeOriginal", "EXIF OffsetTimeOriginal", "EXIF Make", "EXIF ISO"} < set(made.kept)
    assert {"XMP dc:creator", "EXIF Artist"} < set(made.kept)  # both say the same
    assert {"EXIF GPSLatitude", "EXIF SerialNumber", "IPTC By-line", "ICC profile"} < set(made.dropped)


def test_with_every_switch_off_only_rights_and_orientation_are_kept(tmp_path: Path) -> None:
    assert of(FULL, tmp_path, NOTHING).kept == ("EXIF Artist", "EXIF Orientation", "XMP dc:creator")


def test_with_the_switches_on_position_and_serial_are_kept(tmp_path: Path) -> None:
    kept = of(FULL, tmp_path, EVERYTHING).kept
    assert {"EXIF GPSLatitude", "EXIF GPSAltitudeRef", "EXIF SerialNumber", "EXIF LensSerialNumber"} < set(kept)


@pytest.mark.parametrize("keep", [EVERYTHING, NOTHING])
def test_no_value_of_the_picture_is_in_its_receipt(keep: Keep, tmp_path: Path) -> None:
    packet = facts.xmp('photoshop:City="Zurich" dc:title="Zurich"')
    data = FULL.replace(XMP, packet + b" " * (len(XMP) - len(packet)))
    written = json.dumps(asdict(of(data, tmp_path, keep)))
    assert not [secret for secret in (*facts.SECRETS, "Ada", "Ida", "2024", "12:30", "250") if secret in written]


MINE = b"https://example.org/mine/"
SPELT = {
    "XMP property": ("jpeg", facts.jpeg_with(xmp=facts.xmp('mine:Zurich47N="x"')), "XMP other properties"),
    "XMP property of a known namespace": (
        "jpeg",
        facts.jpeg_with(xmp=facts.xmp('dc:Zurich47N="x"')),
        "XMP dc properties",
    ),
    "XMP prefix": (
        "jpeg",
        facts.jpeg_with(
            xmp=facts.xmp('mine:x="x"').replace(b"mine:", b"Zurich47N:").replace(b":mine=", b":Zurich47N=")
        ),
        "XMP other properties",
    ),
    "XMP namespace": (
        "jpeg",
        facts.jpeg_with(xmp=facts.xmp('mine:creator="x"').replace(MINE, b"https://Zurich47N.example/")),
        "XMP other properties",
    ),
    "EXIF tag": ("jpeg", facts.jpeg_with(exif=facts.exif({0x4747: "Zurich47N"})), "EXIF other tags"),
    "GPS tag": ("jpeg", facts.jpeg_with(exif=facts.exif({}, None, {0x4747: "Zurich47N"})), "EXIF other tags"),
    "IPTC dataset": ("jpeg", facts.jpeg_with(photoshop=facts.iptc((247, b"Zurich47N"))), "IPTC other datasets"),
    "Photoshop resource": (
        "jpeg",
        facts.jpeg_with(photoshop=facts.resource(4747, b"Zurich47N")),
        "Photoshop resources",
    ),
    "JPEG application": ("jpeg", facts.jpeg(facts.segment(0xE7, b"Zurich47N\0")), "JPEG APP7 data"),
    "PNG keyword": ("png", facts.png_with((b"tEXt", b"Zurich47N\0x")), "PNG text"),
    "PNG profile": ("png", facts.png_with((b"tEXt", b"Raw profile type Zurich47N\0\nx\n 1\n00")), "PNG raw profile"),
    "PNG colour profile": ("png", facts.png_with((b"iCCP", b"Zurich47N\0\0")), "ICC profile"),
    "PNG chunk": ("png", facts.png_with((b"zuRi", b"Zurich47N")), "PNG private chunk"),
    "WebP chunk": ("webp", facts.webp_with((b"zuRi", b"Zurich47N")), "WebP private chunk"),
    "GIF application": ("gif", facts.gif_with(b"\x21\xff\x0bZurich47N..\x01x\0"), "GIF application data"),
    "GIF extension": ("gif", facts.gif_with(b"\x21\x47\x09Zurich47N\0"), "GIF private extension"),
    "box": ("heic", facts.heif_with() + heif.box(b"zuRi", b"Zurich47N"), "private box"),
    "UUID": ("heic", facts.heif_with() + heif.box(b"uuid", b"Zurich47N-------", b"x"), "private box"),
    "item": ("avif", facts.avif_with(xmp=b"x").replace(b"mime\0", b"zuRi\0"), "HEIF data"),
    "content type": (
        "avif",
        facts.avif_with(xmp=b"x").replace(b"application/rdf+xml", b"text/Zurich47N/xml."),
        "HEIF data",
    ),
    "property": ("heic", facts.heif_with(profile=b"x").replace(b"colrprof", b"udesZuri"), "HEIF description"),
}


@pytest.mark.parametrize("place", SPELT)
def test_what_a_file_can_spell_is_not_in_its_receipt(place: str, tmp_path: Path) -> None:
    container, data, name = SPELT[place]
    assert set(of(data, tmp_path, format=container).found) - {"XMP packet", "IPTC envelope"} == {name}


def test_names_are_few_however_many_a_file_makes_up_and_hide_none(tmp_path: Path) -> None:
    tags = facts.exif({0x4000 + n: 1 for n in range(900)}, None, facts.GPS)
    packet = facts.xmp("".join(f' mine:n{n}="1"' for n in range(900)) + ' photoshop:City="Zurich"')
    found = of(facts.jpeg_with(exif=tags, xmp=packet), tmp_path).found
    assert {"EXIF GPSLatitude", "EXIF other tags", "XMP photoshop:City", "XMP other properties"} < set(found)
    assert len(found) < 15


def test_texts_of_a_png_beyond_those_that_are_read_have_a_name(tmp_path: Path) -> None:
    position = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + facts.secret_xmp())
    found = of(facts.png_with(*[(b"tEXt", b"Title\0x")] * 100, position), tmp_path, format="png").found
    assert found == ("PNG text Title", "PNG text beyond 100 chunks")


#: A position, and then something that cannot be read, which decoders may well pass over.
DAMAGED = {
    "heic": facts.heif_with(exif=facts.secret_exif()) + b"\xff\xff\xff\xfffree",
    "avif": facts.heif_with(exif=facts.secret_exif(), brand=b"avif") + b"\0\0\0\x40free",
    "webp": facts.webp_with((b"EXIF", facts.secret_exif()), (b"ADA ", b"Zurich"))[:-2],
    "png": facts.png_with((b"eXIf", facts.secret_exif()))[:-6],
    "jpeg": facts.jpeg_with(exif=facts.secret_exif()).replace(b"\xff\xda", b"Zurich", 1),
    "gif": facts.gif_with(facts.gif_xmp(facts.secret_xmp()))[:-2],
}


@pytest.mark.parametrize("format", DAMAGED)
def test_damage_behind_a_position_does_not_hide_it(format: str, tmp_path: Path) -> None:
    found = of(DAMAGED[format], tmp_path, format=format).found
    assert {"EXIF GPSLatitude", "XMP exif:GPSLatitude"} & set(found)
    assert "damaged parts" in found


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (facts.jpeg(facts.segment(0xE1, b"Exif\0\0 Zurich, no TIFF")), "EXIF that cannot be read"),
        (facts.jpeg_with(photoshop=facts.resource(0x0404, b"Zurich")), "IPTC that cannot be read"),
        (facts.jpeg_with(xmp=b"Zurich"), "XMP that cannot be read"),
    ],
)
def test_what_cannot_be_read_has_a_name_too(data: bytes, name: str, tmp_path: Path) -> None:
    assert set(of(data, tmp_path).found) - {"XMP packet"} == {name}


@pytest.mark.parametrize(
    ("format", "data", "name"),
    [
        ("png", facts.png_with((b"tIME", bytes(7))), "PNG tIME"),
        ("png", facts.png_with((b"tEXt", b"Author\0Ada")), "PNG text Author"),
        ("png", facts.png_with((b"tEXt", b"Ada was here\0Ada")), "PNG text"),
        ("png", facts.png_with((b"iCCP", b"Ada\0\0")), "ICC profile"),
        ("png", facts.png_with((b"caBX", b"")), "C2PA manifest"),
        ("webp", facts.webp_with((b"C2PA", b"")), "C2PA manifest"),
        ("gif", facts.gif_with(b"\x21\xff\x0bC2PA_GIF\1\0\0\3Ada\0"), "C2PA manifest"),
        ("tiff", facts.exif({0xCD41: b"Ada manifest"}), "C2PA manifest"),
        ("dng", facts.exif({0xCD41: b"Ada manifest"}), "C2PA manifest"),
        ("jpeg", facts.jpeg(*JUMBF), "C2PA manifest"),
        ("jpeg", facts.jpeg(facts.segment(0xEB, b"JP\0\2\0\0\0\1 jumb Ada")), "JUMBF boxes"),
        ("avif", facts.avif_with() + heif.box(b"uuid", C2PA, b"Ada"), "C2PA manifest"),
        ("heic", facts.heif_with() + heif.box(b"uuid", C2PA, b"Ada"), "C2PA manifest"),
        ("cr3", heif.box(b"ftyp", b"crx \0\0\0\1") + heif.box(b"uuid", C2PA, b"Ada"), "C2PA manifest"),
        ("raf", RAF + facts.jpeg(*JUMBF), "C2PA manifest"),
        ("png", facts.png_with((b"adAa", b"")), "PNG private chunk"),
        ("png", facts.png_with(behind=b"<?php"), "data after the end"),
        ("webp", facts.webp_with((b"ICCP", b"Ada")), "ICC profile"),
        ("webp", facts.webp_with((b"ADA ", b"Ada")), "WebP private chunk"),
        ("webp", facts.webp_with(behind=b"<?php"), "data after the end"),
        ("gif", facts.gif_with(b"\x21\xfe\x03Ada\0"), "GIF comment"),
        ("gif", facts.gif_with(b"\x21\xff\x0bADA WAS1234\x03Ada\0"), "GIF application data"),
        ("gif", facts.gif_with(behind=b"<?php"), "data after the end"),
        ("bmp", b"BM" + (60).to_bytes(4, "little") + bytes(54) + b"<?php", "data after the end"),
        ("heic", facts.heif_with(profile=b"Ada"), "ICC profile"),
        ("jpeg", facts.jpeg(behind=facts.jpeg()), "data after the end"),
    ],
)
def test_what_is_hidden_in_other_places_is_named(format: str, data: bytes, name: str, tmp_path: Path) -> None:
    assert of(data, tmp_path, format=format).found == (name,)


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("jpeg", facts.jpeg()),
        ("jpeg", facts.jpeg()[:-2]),  # cut short
        ("png", facts.png_with((b"pHYs", bytes(9)))),
        ("webp", facts.webp_with()),
        ("gif", facts.gif_with(b"\x21\xff\x0bNETSCAPE2.0\x03\1\0\0\0")),
        ("tiff", facts.exif({0x0100: 1, 0x0101: 1, 0x0111: 8})),
    ],
)
def test_a_bare_picture_has_nothing_to_report(format: str, data: bytes, tmp_path: Path) -> None:
    assert of(data, tmp_path, format=format).found == ()
