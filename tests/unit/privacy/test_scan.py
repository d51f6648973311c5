"""The proof over finished files: rights are named, everything else is a leak."""

import struct
from dataclasses import replace

import pytest
import pyvips

from media_jobs import errors
from media_jobs.pipeline.encode import encode
from media_jobs.pipeline.formats import png, riff
from media_jobs.pipeline.privacy import embed
from media_jobs.pipeline.privacy.scan import scan
from media_jobs.pipeline.recipes import Format, Rendition
from media_jobs.pipeline.values import Rights
from tests.formats import facts, heif

RIGHTS = Rights("Zoë; Grace", "Agency", "© Zoë", "https://example.org/by", "http://example.org/made-by-ai")
XMP_FIELDS = (
    *("XMP dc:creator", "XMP dc:rights", "XMP photoshop:Credit", "XMP xmpRights:WebStatement"),
    "XMP Iptc4xmpExt:DigitalSourceType",
)
EXIF_FIELDS = ("EXIF Artist", "EXIF Copyright")


def picture(bands: int = 3) -> pyvips.Image:
    colours = pyvips.Image.xyz(64, 48).bandjoin([128, 200])[:bands].cast("uchar")
    return colours.copy(interpretation="srgb" if bands > 2 else "b-w")


def bare_png(image: pyvips.Image, *, progressive: bool = False) -> bytes:
    rendition = Rendition("bare", 64, format=Format.PNG, progressive=progressive)
    return encode(image, rendition, Format.PNG, Rights())


BARE: dict[str, tuple[Format, bytes]] = {
    "jpeg": (Format.JPEG, picture().jpegsave_buffer(keep="none")),
    "jpeg, progressive": (Format.JPEG, picture().jpegsave_buffer(keep="none", interlace=True)),
    "jpeg, grey": (Format.JPEG, picture(1).jpegsave_buffer(keep="none", subsample_mode="off")),
    "jpeg, restarts": (Format.JPEG, picture().jpegsave_buffer(keep="none", restart_interval=1)),
    "png": (Format.PNG, bare_png(picture())),
    "png, interlaced": (Format.PNG, bare_png(picture(2), progressive=True)),
    "webp": (Format.WEBP, picture().webpsave_buffer(keep="none")),
    "webp, alpha": (Format.WEBP, picture(4).webpsave_buffer(keep="none")),
    "webp, lossless": (Format.WEBP, picture(4).webpsave_buffer(keep="none", lossless=True)),
    "avif": (Format.AVIF, facts.avif_with()),
    "avif, alpha": (Format.AVIF, facts.avif_with(alpha=True)),
}
JPEG, PNG, WEBP, AVIF = (BARE[name][1] for name in ("jpeg", "png", "webp", "avif"))


@pytest.mark.parametrize("kind", BARE)
def test_a_bare_picture_carries_nothing(kind: str) -> None:
    encoded_as, data = BARE[kind]
    assert scan(data, encoded_as, Rights()) == ()


@pytest.mark.parametrize("kind", [kind for kind, (encoded_as, _) in BARE.items() if encoded_as is not Format.AVIF])
def test_rights_are_named(kind: str) -> None:
    encoded_as, data = BARE[kind]
    assert scan(embed.with_rights(data, encoded_as, RIGHTS), encoded_as, RIGHTS) == EXIF_FIELDS + XMP_FIELDS


@pytest.mark.parametrize("alpha", [False, True])
def test_rights_in_an_avif_are_named(alpha: bool) -> None:
    assert scan(facts.avif_with(xmp=XMP_RIGHTS, alpha=alpha), Format.AVIF, RIGHTS) == XMP_FIELDS


@pytest.mark.parametrize("field", ["creator", "credit", "copyright", "licence", "digital_source_type"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
def test_rights_of_another_picture_are_a_leak(kind: str, field: str) -> None:
    encoded_as, data = BARE[kind]
    packet = embed.xmp_packet(RIGHTS)
    carrying = facts.avif_with(xmp=packet) if kind == "avif" else embed.with_rights(data, encoded_as, RIGHTS)
    for others in (replace(RIGHTS, **{field: "Ada"}), replace(RIGHTS, **{field: ""}), Rights()):
        with pytest.raises(errors.PrivacyLeak, match="this picture's rights"):
            scan(carrying, encoded_as, others)


# --- leaks -----------------------------------------------------------------------------------------


def inserted(jpeg: bytes, marker: int, payload: bytes) -> bytes:
    return jpeg[:2] + facts.segment(marker, payload) + jpeg[2:]


def png_and(kind: bytes, data: bytes) -> bytes:
    return PNG[:33] + png.chunk(kind, data) + PNG[33:]


def webp_and(kind: bytes, data: bytes, flags: int = riff.XMP | riff.EXIF) -> bytes:
    header = riff.chunk(b"VP8X", bytes([flags, 0, 0, 0, 63, 0, 0, 47, 0, 0]))
    body = b"WEBP" + header + WEBP[12:] + riff.chunk(kind, data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lengthened(avif: bytes, last_box: bytes, by: bytes) -> bytes:
    at = avif.index(last_box) - 4
    size = int.from_bytes(avif[at : at + 4], "big") + len(by)
    return avif[:at] + struct.pack(">I", size) + avif[at + 4 :] + by


EXIF_RIGHTS, XMP_RIGHTS = embed.exif_block(RIGHTS), embed.xmp_packet(RIGHTS)
#: A chunk of odd length has a byte of padding.
ODD_XMP = max((embed.xmp_packet(Rights(credit="A" * n)) for n in (1, 2)), key=lambda packet: len(packet) % 2)
MIME = b"mime\0application/rdf+xml\0"
XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
#: Format, how the refusal names it, the file.
LEAKS: dict[str, tuple[Format, str, bytes]] = {
    "jpeg, a position": (Format.JPEG, "EXIF data", inserted(JPEG, 0xE1, b"Exif\0\0" + facts.secret_exif())),
    "jpeg, orientation": (Format.JPEG, "EXIF data", inserted(JPEG, 0xE1, b"Exif\0\0" + facts.exif({0x0112: 1}))),
    "jpeg, empty EXIF": (Format.JPEG, "EXIF data", inserted(JPEG, 0xE1, b"Exif\0\0")),
    "jpeg, bytes behind EXIF": (
        Format.JPEG,
        "EXIF data",
        inserted(JPEG, 0xE1, b"Exif\0\0" + EXIF_RIGHTS + b"Zurich"),
    ),
    "jpeg, EXIF twice": (
        Format.JPEG,
        "EXIF data",
        inserted(embed.with_rights(JPEG, Format.JPEG, RIGHTS), 0xE1, b"Exif\0\0" + EXIF_RIGHTS),
    ),
    "jpeg, other XMP": (Format.JPEG, "XMP data", inserted(JPEG, 0xE1, XMP_MARK + facts.secret_xmp())),
    "jpeg, a remark in XMP": (
        Format.JPEG,
        "XMP data",
        inserted(JPEG, 0xE1, XMP_MARK + XMP_RIGHTS.replace(b"</rdf:RDF>", b"<!-- Zurich --></rdf:RDF>")),
    ),
    "jpeg, an attribute in XMP": (
        Format.JPEG,
        "XMP data",
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
    "png, print resolution": (Format.PNG, "pHYs", picture().pngsave_buffer(keep="none")),
    "jpeg, a long table": (Format.JPEG, "segment 0xdb", inserted(JPEG, 0xDB, bytes(65) + b"Zurich")),
    "jpeg, a long Huffman table": (Format.JPEG, "segment 0xc4", inserted(JPEG, 0xC4, bytes(17) + b"Zurich")),
    "jpeg, filled up": (Format.JPEG, "between segments", JPEG[:2] + b"\xff\xff" + JPEG[2:]),
    "jpeg, bytes between segments": (Format.JPEG, "no marker", JPEG[:2] + b"Zurich" + JPEG[2:]),
    "jpeg, bytes behind the end": (Format.JPEG, "behind its end", JPEG + b"<?php"),
    "jpeg, a second one behind": (Format.JPEG, "behind its end", JPEG + JPEG),
    "jpeg, cut short": (Format.JPEG, "without an end", JPEG[:-2]),
    "png, a position": (Format.PNG, "EXIF data", png_and(b"eXIf", facts.secret_exif())),
    "png, a text": (Format.PNG, "tEXt", png_and(b"tEXt", b"Author\0Ada")),
    "png, another international text": (Format.PNG, "iTXt", png_and(b"iTXt", b"Author\0\0\0\0\0Ada")),
    "png, other XMP": (
        Format.PNG,
        "XMP data",
        png_and(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + facts.secret_xmp()),
    ),
    "png, the time": (Format.PNG, "tIME", png_and(b"tIME", bytes(7))),
    "png, a colour profile": (Format.PNG, "iCCP", png_and(b"iCCP", b"x\0\0")),
    "png, a long size": (Format.PNG, "tRNS", png_and(b"tRNS", bytes(300))),
    "png, a private chunk": (Format.PNG, "adAa", png_and(b"adAa", b"")),
    "png, bytes behind the end": (Format.PNG, "behind its end", PNG + b"<?php"),
    "png, cut short": (Format.PNG, "breaks off", PNG[:-12]),
    "webp, a position": (Format.WEBP, "EXIF data", webp_and(b"EXIF", facts.secret_exif())),
    "webp, other XMP": (Format.WEBP, "XMP data", webp_and(b"XMP ", facts.secret_xmp())),
    "webp, a colour profile": (Format.WEBP, "ICCP", webp_and(b"ICCP", b"")),
    "webp, a promised profile": (Format.WEBP, "promises", webp_and(b"XMP ", XMP_RIGHTS, riff.XMP | riff.ICC)),
    "webp, a private chunk": (Format.WEBP, "ADA", webp_and(b"ADA ", b"Zurich")),
    "webp, a byte of padding": (Format.WEBP, "padding", webp_and(b"XMP ", ODD_XMP)[:-1] + b"Z"),
    "webp, bytes behind the end": (Format.WEBP, "behind its end", WEBP + b"<?php"),
    "avif, EXIF": (Format.AVIF, "an item", facts.avif_with(xmp=b"II").replace(MIME, b"Exif" + bytes(len(MIME) - 4))),
    "avif, another item": (Format.AVIF, "with a name", facts.avif_with(xmp=b"II").replace(MIME, b"Exif\0" + MIME[5:])),
    "avif, a box behind": (Format.AVIF, "free", AVIF + heif.box(b"free", b"Zurich")),
    "avif, bytes behind": (Format.AVIF, "other boxes|behind", AVIF + b"<?php"),
    "avif, a named item": (Format.AVIF, "with a name", AVIF.replace(b"av01\0", b"av01Z", 1)),
    "avif, a named handler": (Format.AVIF, "handler", AVIF.replace(b"pict\0\0\0\0\0", b"pict\0\0\0\0Z", 1)),
    "avif, a profile in place of sizes": (Format.AVIF, "colr", AVIF.replace(b"pixi", b"colr", 1)),
    "avif, bytes that belong to no item": (Format.AVIF, "behind its items", lengthened(AVIF, b"mdat", b"Zurich")),
    "avif, other XMP": (Format.AVIF, "XMP data", facts.avif_with(xmp=facts.secret_xmp())),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_everything_else_is_a_leak(leak: str) -> None:
    encoded_as, carries, data = LEAKS[leak]
    with pytest.raises(errors.PrivacyLeak, match=carries):
        scan(data, encoded_as, RIGHTS)


def test_a_leak_is_named_by_what_carries_it_not_by_what_it_says() -> None:
    with pytest.raises(errors.PrivacyLeak) as caught:
        scan(LEAKS["jpeg, a position"][2], Format.JPEG, RIGHTS)
    assert not [secret for secret in facts.SECRETS if secret in str(caught.value)]
