"""The proof over finished files: rights are named, everything else is a leak."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
import pyvips

from media_jobs import errors
from media_jobs.pipeline.formats import png, riff
from media_jobs.pipeline.privacy import embed
from media_jobs.pipeline.privacy.scan import scan
from media_jobs.pipeline.recipes import Fit, Format, Preset, Rendition
from media_jobs.pipeline.render import render
from media_jobs.pipeline.values import Request, Rights
from tests import facts, images

RIGHTS = Rights("Zoë; Grace", "Agency", "© Zoë", "https://example.org/by")
XMP_FIELDS = ("XMP dc:creator", "XMP dc:rights", "XMP photoshop:Credit", "XMP xmpRights:WebStatement")
EXIF_FIELDS = ("EXIF Artist", "EXIF Copyright")


def picture(bands: int = 3) -> pyvips.Image:
    colours = pyvips.Image.xyz(64, 48).bandjoin([128, 200])[:bands].cast("uchar")
    return colours.copy(interpretation="srgb" if bands > 2 else "b-w", xres=72 / 25.4, yres=72 / 25.4)


def avif(image: pyvips.Image, rights: Rights = Rights(), keep: str = "xmp") -> bytes:  # noqa: B008  (a frozen value)
    image = image.copy()
    if packet := embed.xmp_packet(rights):
        image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    return bytes(image.heifsave_buffer(compression="av1", effort=0, keep=keep))


BARE: dict[str, tuple[Format, bytes]] = {
    "jpeg": (Format.JPEG, picture().jpegsave_buffer(keep="none")),
    "jpeg, progressive": (Format.JPEG, picture().jpegsave_buffer(keep="none", interlace=True)),
    "jpeg, grey": (Format.JPEG, picture(1).jpegsave_buffer(keep="none", subsample_mode="off")),
    "jpeg, restarts": (Format.JPEG, picture().jpegsave_buffer(keep="none", restart_interval=1)),
    "png": (Format.PNG, picture().pngsave_buffer(keep="none")),
    "png, palette": (Format.PNG, picture(4).pngsave_buffer(keep="none", palette=True)),
    "png, interlaced": (Format.PNG, picture(2).pngsave_buffer(keep="none", interlace=True)),
    "webp": (Format.WEBP, picture().webpsave_buffer(keep="none")),
    "webp, alpha": (Format.WEBP, picture(4).webpsave_buffer(keep="none")),
    "webp, lossless": (Format.WEBP, picture(4).webpsave_buffer(keep="none", lossless=True)),
    "avif": (Format.AVIF, avif(picture())),
    "avif, alpha": (Format.AVIF, avif(picture(4))),
}
JPEG, PNG, WEBP, AVIF = (BARE[name][1] for name in ("jpeg", "png", "webp", "avif"))


@pytest.mark.parametrize("kind", BARE)
def test_a_bare_picture_carries_nothing(kind: str) -> None:
    encoded_as, data = BARE[kind]
    assert scan(data, encoded_as) == ()


@pytest.mark.parametrize("kind", [kind for kind, (encoded_as, _) in BARE.items() if encoded_as is not Format.AVIF])
def test_rights_are_named(kind: str) -> None:
    encoded_as, data = BARE[kind]
    assert scan(embed.with_rights(data, encoded_as, RIGHTS), encoded_as) == EXIF_FIELDS + XMP_FIELDS


@pytest.mark.parametrize("bands", [3, 4])
def test_rights_in_an_avif_are_named(bands: int) -> None:
    assert scan(avif(picture(bands), RIGHTS), Format.AVIF) == XMP_FIELDS


# --- leaks -----------------------------------------------------------------------------------------


def inserted(jpeg: bytes, marker: int, payload: bytes) -> bytes:
    return jpeg[:2] + facts.segment(marker, payload) + jpeg[2:]


def png_and(kind: bytes, data: bytes) -> bytes:
    return PNG[:33] + png.chunk(kind, data) + PNG[33:]


def webp_and(kind: bytes, data: bytes, flags: int = riff.XMP | riff.EXIF) -> bytes:
    header = riff.chunk(b"VP8X", bytes([flags, 0, 0, 0, 63, 0, 0, 47, 0, 0]))
    body = b"WEBP" + header + WEBP[12:] + riff.chunk(kind, data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_exif(image: pyvips.Image) -> pyvips.Image:
    image.set_type(pyvips.GValue.blob_type, "exif-data", b"Exif\0\0" + EXIF_RIGHTS)
    return image


def with_xmp(image: pyvips.Image, packet: bytes) -> pyvips.Image:
    image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    return image


def lengthened(avif: bytes, last_box: bytes, by: bytes) -> bytes:
    at = avif.index(last_box) - 4
    size = int.from_bytes(avif[at : at + 4], "big") + len(by)
    return avif[:at] + struct.pack(">I", size) + avif[at + 4 :] + by


EXIF_RIGHTS, XMP_RIGHTS = embed.exif_block(RIGHTS), embed.xmp_packet(RIGHTS)
#: A chunk of odd length has a byte of padding.
ODD_XMP = max((embed.xmp_packet(Rights(credit="A" * n)) for n in (1, 2)), key=lambda packet: len(packet) % 2)
XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
#: Format, how the refusal names it, the file.
LEAKS: dict[str, tuple[Format, str, bytes]] = {
    "jpeg, a position": (Format.JPEG, "EXIF GPSLatitude", inserted(JPEG, 0xE1, b"Exif\0\0" + facts.secret_exif())),
    "jpeg, orientation": (Format.JPEG, "EXIF Orientation", inserted(JPEG, 0xE1, b"Exif\0\0" + facts.exif({0x0112: 1}))),
    "jpeg, empty EXIF": (Format.JPEG, "unreadable", inserted(JPEG, 0xE1, b"Exif\0\0")),
    "jpeg, bytes behind EXIF": (
        Format.JPEG,
        "EXIF data beyond",
        inserted(JPEG, 0xE1, b"Exif\0\0" + EXIF_RIGHTS + b"Zurich"),
    ),
    "jpeg, EXIF twice": (
        Format.JPEG,
        "EXIF data twice",
        inserted(embed.with_rights(JPEG, Format.JPEG, RIGHTS), 0xE1, b"Exif\0\0" + EXIF_RIGHTS),
    ),
    "jpeg, other XMP": (Format.JPEG, "XMP photoshop:City", inserted(JPEG, 0xE1, XMP_MARK + facts.secret_xmp())),
    "jpeg, a remark in XMP": (
        Format.JPEG,
        "XMP data beyond",
        inserted(JPEG, 0xE1, XMP_MARK + XMP_RIGHTS.replace(b"</rdf:RDF>", b"<!-- Zurich --></rdf:RDF>")),
    ),
    "jpeg, an attribute in XMP": (
        Format.JPEG,
        "XMP data beyond",
        inserted(JPEG, 0xE1, XMP_MARK + XMP_RIGHTS.replace(b'rdf:about=""', b'rdf:about="Zurich"')),
    ),
    "jpeg, APP1 of another kind": (Format.JPEG, "APP1", inserted(JPEG, 0xE1, b"Zurich")),
    "jpeg, a colour profile": (Format.JPEG, "APP2", inserted(JPEG, 0xE2, b"ICC_PROFILE\0\1\1")),
    "jpeg, IPTC": (Format.JPEG, "APP13", inserted(JPEG, 0xED, b"Photoshop 3.0\0" + facts.iptc((80, b"Ada")))),
    "jpeg, Adobe's marker": (Format.JPEG, "APP14", inserted(JPEG, 0xEE, b"Adobe\0\x64\0\0\0\0\1")),
    "jpeg, a comment": (Format.JPEG, "comment", inserted(JPEG, 0xFE, b"Zurich")),
    "jpeg, an empty comment": (Format.JPEG, "comment", inserted(JPEG, 0xFE, b"")),
    "jpeg, a thumbnail": (Format.JPEG, "APP0", inserted(JPEG, 0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + bytes(3))),
    "jpeg, print resolution": (Format.JPEG, "APP0", JPEG[:2] + facts.JFIF + JPEG[2:]),
    "png, print resolution": (Format.PNG, "printed", picture().copy(xres=11.811).pngsave_buffer(keep="none")),
    "jpeg, a long table": (Format.JPEG, "segment 0xdb", inserted(JPEG, 0xDB, bytes(65) + b"Zurich")),
    "jpeg, a long Huffman table": (Format.JPEG, "segment 0xc4", inserted(JPEG, 0xC4, bytes(17) + b"Zurich")),
    "jpeg, filled up": (Format.JPEG, "between segments", JPEG[:2] + b"\xff\xff" + JPEG[2:]),
    "jpeg, bytes between segments": (Format.JPEG, "no marker", JPEG[:2] + b"Zurich" + JPEG[2:]),
    "jpeg, bytes behind the end": (Format.JPEG, "behind its end", JPEG + b"<?php"),
    "jpeg, a second one behind": (Format.JPEG, "behind its end", JPEG + JPEG),
    "jpeg, cut short": (Format.JPEG, "without an end", JPEG[:-2]),
    "png, a position": (Format.PNG, "EXIF GPSLatitude", png_and(b"eXIf", facts.secret_exif())),
    "png, a text": (Format.PNG, "tEXt", png_and(b"tEXt", b"Author\0Ada")),
    "png, another international text": (Format.PNG, "iTXt", png_and(b"iTXt", b"Author\0\0\0\0\0Ada")),
    "png, other XMP": (
        Format.PNG,
        "XMP photoshop:City",
        png_and(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + facts.secret_xmp()),
    ),
    "png, the time": (Format.PNG, "tIME", png_and(b"tIME", bytes(7))),
    "png, a colour profile": (Format.PNG, "iCCP", png_and(b"iCCP", b"x\0\0")),
    "png, a long size": (Format.PNG, "tRNS", png_and(b"tRNS", bytes(300))),
    "png, a private chunk": (Format.PNG, "adAa", png_and(b"adAa", b"")),
    "png, bytes behind the end": (Format.PNG, "behind its end", PNG + b"<?php"),
    "png, cut short": (Format.PNG, "breaks off", PNG[:-12]),
    "webp, a position": (Format.WEBP, "EXIF GPSLatitude", webp_and(b"EXIF", facts.secret_exif())),
    "webp, other XMP": (Format.WEBP, "XMP photoshop:City", webp_and(b"XMP ", facts.secret_xmp())),
    "webp, a colour profile": (Format.WEBP, "ICCP", webp_and(b"ICCP", b"")),
    "webp, a promised profile": (Format.WEBP, "promises", webp_and(b"XMP ", XMP_RIGHTS, riff.XMP | riff.ICC)),
    "webp, a private chunk": (Format.WEBP, "ADA", webp_and(b"ADA ", b"Zurich")),
    "webp, a byte of padding": (Format.WEBP, "padding", webp_and(b"XMP ", ODD_XMP)[:-1] + b"Z"),
    "webp, bytes behind the end": (Format.WEBP, "behind its end", WEBP + b"<?php"),
    "avif, EXIF as libvips writes it": (Format.AVIF, "item", avif(with_exif(picture()), keep="exif")),
    "avif, a box behind": (Format.AVIF, "free", AVIF + facts.box(b"free", b"Zurich")),
    "avif, bytes behind": (Format.AVIF, "other boxes|behind", AVIF + b"<?php"),
    "avif, a named item": (Format.AVIF, "with a name", AVIF.replace(b"av01\0", b"av01Z", 1)),
    "avif, a named handler": (Format.AVIF, "handler", AVIF.replace(b"pict\0\0\0\0\0", b"pict\0\0\0\0Z", 1)),
    "avif, a profile in place of sizes": (Format.AVIF, "colr", AVIF.replace(b"pixi", b"colr", 1)),
    "avif, bytes that belong to no item": (Format.AVIF, "behind its items", lengthened(AVIF, b"mdat", b"Zurich")),
    "avif, other XMP": (Format.AVIF, "XMP photoshop:City", avif(with_xmp(picture(), facts.secret_xmp()))),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_everything_else_is_a_leak(leak: str) -> None:
    encoded_as, carries, data = LEAKS[leak]
    with pytest.raises(errors.PrivacyLeak, match=carries):
        scan(data, encoded_as)


def test_a_leak_is_told_by_what_carries_it_not_by_what_it_says() -> None:
    with pytest.raises(errors.PrivacyLeak) as caught:
        scan(LEAKS["jpeg, a position"][2], Format.JPEG)
    assert not [secret for secret in facts.SECRETS if secret in str(caught.value)]


# --- the whole way ---------------------------------------------------------------------------------

EVERY = Preset(
    "every",
    (
        Rendition("jpeg", 200),
        Rendition("webp", 150, format=Format.WEBP),
        Rendition("png", 100, format=Format.PNG),
        Rendition("avif", 50, Fit.COVER, format=Format.AVIF, effort=0),
    ),
)
SECRETS = [secret for secret in images.SECRETS if secret not in (b"Ada Photographer", b"Exif\0", b"ns.adobe.com")]
SOURCES = {
    "jpeg": images.jpeg(320, 240, orientation=6, facts=images.CAMERA, thumbnail=True) + b"<?php evil(); ?>",
    "png": images.png(320, 240, exif=images.exif(images.CAMERA)) + b"<?php evil(); ?>",
    "webp": images.webp(320, 240, exif=images.exif(images.CAMERA)),
}


@pytest.mark.parametrize("format", SOURCES)
def test_a_derivative_carries_pixels_and_rights_and_nothing_else(format: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(SOURCES[format])
    rendered = render(Request(str(source), str(tmp_path), "0" * 64, EVERY), lambda done, of: None)
    carried = {"XMP dc:creator", "EXIF Artist"} if rendered.rights.creator else set()
    for output in rendered.outputs:
        data = (tmp_path / output.file).read_bytes()
        assert not [secret for secret in [*SECRETS, b"<?php"] if secret in data]
        assert set(rendered.receipt.outputs[output.name]) <= carried
    told = json.dumps(rendered.to_json()["receipt"])
    assert not [secret for secret in [*SECRETS, b"Ada Photographer"] if secret.decode() in told]


@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool: apt-get install libimage-exiftool-perl")
def test_exiftool_finds_the_secrets_in_the_source_and_none_in_a_derivative(tmp_path: Path) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(SOURCES["jpeg"])
    rendered = render(Request(str(source), str(tmp_path), "0" * 64, EVERY), lambda done, of: None)
    command = ["exiftool", "-json", "-G1", "-a", "-x", "System:all", str(source)]
    files = [str(tmp_path / output.file) for output in rendered.outputs]
    before, *after = json.loads(subprocess.run([*command, *files], capture_output=True, check=True).stdout)
    assert {"GPS:GPSLatitude", "ExifIFD:SerialNumber", "IFD1:ThumbnailImage", "XMP-dc:Creator"} <= set(before)
    for told in after:
        groups = {tag.split(":")[0] for tag in told} - {"SourceFile"}
        assert groups <= {"File", "JFIF", "RIFF", "PNG", "PNG-pHYs", "QuickTime", "Meta", "Composite", "ExifTool"} | {
            "XMP-dc",
            "IFD0",
        }
        assert {tag for tag in told if tag.startswith("IFD0")} <= {"IFD0:Artist"}
