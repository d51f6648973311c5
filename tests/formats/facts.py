"""Metadata in every language and container, built by hand: no decoder is needed to read or to write it.

The pictures around it are the smallest that have the structure of one.
"""

import struct
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from media_jobs.pipeline.formats import png, riff
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.privacy import facts
from tests.formats.heif import AV1, box, full_box, size

Value = str | bytes | int | Fraction | tuple[Fraction | tuple[int, int], ...]
Tags = dict[int, Value]

#: What `secret_exif` and `secret_xmp` say; each may be looked for in what must not have it.
SECRETS = ("Gallmann", "Pocket G1", "SN-4711", "L-0815", "Summilux 1.7", "MAKERNOTE", "Zurich", "47.3769", "8.5417")

GPS: Tags = {
    1: "N",
    2: (Fraction(47), Fraction(22), Fraction(3684, 100)),
    3: "E",
    4: (Fraction(8), Fraction(32), Fraction(3012, 100)),
    5: b"\1",
    6: Fraction(805, 2),
}
CAMERA: Tags = {0x010F: "Gallmann", 0x0110: "Pocket G1", 0x0112: 6}
DETAIL: Tags = {
    0x829A: Fraction(10, 2500),
    0x829D: Fraction(17, 10),
    0x8827: 200,
    0x9003: "2024:05:01 12:30:00",
    0x9011: "+02:00",
    0x920A: Fraction(425, 100),
    0x927C: b"MAKERNOTE bytes",
    0xA431: "SN-4711",
    0xA434: "Summilux 1.7",
    0xA435: "L-0815",
}


def extracted(data: bytes, format: str, folder: Path) -> facts.Extracted:
    return facts.extract(found(data, format, folder))


def found(data: bytes, format: str, folder: Path) -> Found:
    """What reading facts needs to know of a file, without a decoder's having seen it."""
    path = folder / "source"
    path.write_bytes(data)
    return cast(Found, SimpleNamespace(original=path, path=path, format=format, orientation=1))


# --- EXIF, XMP, IPTC ------------------------------------------------------------------------------


def exif(main: Tags | None = None, detail: Tags | None = None, gps: Tags | None = None, *, order: str = "<") -> bytes:
    """A TIFF structure. Integers become SHORT, texts ASCII with an end mark, fractions RATIONAL."""
    places = {0x8769: 0, 0x8825: 0}
    for _ in range(2):  # sizes do not depend on offsets, so the first round gives the layout
        pointers = {tag: at for tag, at in places.items() if (tag == 0x8769 and detail) or (tag == 0x8825 and gps)}
        first = _directory(main or {}, 8, order, pointers)
        places[0x8769] = 8 + len(first)
        second = _directory(detail, places[0x8769], order) if detail else b""
        places[0x8825] = places[0x8769] + len(second)
        third = _directory(gps, places[0x8825], order) if gps else b""
    return struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8) + first + second + third


def secret_exif() -> bytes:
    return exif(CAMERA, DETAIL, GPS)


def secret_xmp() -> bytes:
    return xmp('tiff:Make="Gallmann" exif:GPSLatitude="47,22.6140N" photoshop:City="Zurich"')


def _directory(tags: Tags, at: int, order: str, pointers: dict[int, int] | None = None) -> bytes:
    entries = {tag: _packed(value, order) for tag, value in tags.items()}
    entries |= {tag: (4, 1, struct.pack(order + "I", place)) for tag, place in (pointers or {}).items()}
    head, tail = struct.pack(order + "H", len(entries)), b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, (kind, count, value) in sorted(entries.items()):
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "I", values_at + len(tail))
        tail += value if len(value) > 4 else b""
        head += struct.pack(order + "HHI", tag, kind, count) + place
    return head + bytes(4) + tail


def _packed(value: Value, order: str) -> tuple[int, int, bytes]:
    """Type, count and bytes."""
    if isinstance(value, str):
        data = value.encode() + b"\0"
        return 2, len(data), data
    if isinstance(value, bytes):
        return 7 if len(value) > 1 else 1, len(value), value
    if isinstance(value, int):
        return 3, 1, struct.pack(order + "H", value)
    parts = value if isinstance(value, tuple) else (value,)
    pairs = [part if isinstance(part, tuple) else (part.numerator, part.denominator) for part in parts]
    return 5, len(pairs), b"".join(struct.pack(order + "II", *pair) for pair in pairs)


NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "cc": "http://creativecommons.org/ns#",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "mine": "https://example.org/mine/",
}


def xmp(attributes: str = "", elements: str = "", *, before: str = "") -> bytes:
    """A packet of one description with the usual prefixes."""
    prefixes = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return (
        f'{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {prefixes} {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def iptc(*datasets: tuple[int, bytes], utf_8: bool = False) -> bytes:
    """Photoshop's resource block with IPTC-IIM; each dataset of record 2."""
    listed = [(1, 90, b"\x1b%G")] if utf_8 else []
    listed += [(2, dataset, value) for dataset, value in datasets]
    block = b"".join(struct.pack(">BBBH", 0x1C, *head, len(value)) + value for *head, value in listed)
    return resource(0x0404, block)


def resource(number: int, content: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + b"\0" * (len(content) % 2)


# --- containers -----------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
_SCAN = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\0\x34\xff\xd0\x56"


def jpeg(*segments: bytes, behind: bytes = b"") -> bytes:
    return b"\xff\xd8" + JFIF + b"".join(segments) + _SCAN + b"\xff\xd9" + behind


def jpeg_with(*, exif: bytes = b"", xmp: bytes = b"", photoshop: bytes = b"", behind: bytes = b"") -> bytes:
    segments = (
        segment(0xE1, b"Exif\0\0" + exif) if exif else b"",
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) if xmp else b"",
        segment(0xED, b"Photoshop 3.0\0" + photoshop) if photoshop else b"",
    )
    return jpeg(*segments, behind=behind)


def png_with(*chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = bytes.fromhex("789c63000000010001")
    all_chunks = ((b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b""))
    return png.SIGNATURE + b"".join(png.chunk(kind, data) for kind, data in all_chunks) + behind


def webp_with(*chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    body = b"WEBP" + b"".join(riff.chunk(kind, data) for kind, data in ((b"VP8L", b"\x2f" + bytes(8)), *chunks))
    return b"RIFF" + struct.pack("<I", len(body)) + body + behind


def gif_with(*extensions: bytes, behind: bytes = b"") -> bytes:
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + b"".join(extensions) + picture + b"\x3b" + behind


def gif_xmp(packet: bytes) -> bytes:
    """Plain text whose tail makes it look like pieces of 255 bytes."""
    return b"\x21\xff\x0bXMP DataXMP" + packet + b"\1" + bytes(range(255, -1, -1)) + b"\0"


def heif_with(*, exif: bytes = b"", xmp: bytes = b"", profile: bytes = b"", brand: bytes = b"heic") -> bytes:
    """Items without a picture."""
    items = [(b"Exif\0", bytes(4) + exif)] if exif else []
    items += [(b"mime\0application/rdf+xml\0\0", xmp)] if xmp else []
    infos = [box(b"infe", b"\2\0\0\0", struct.pack(">HH", n, 0), kind + b"\0") for n, (kind, _) in enumerate(items, 1)]
    properties = box(b"iprp", box(b"ipco", box(b"colr", b"prof" + profile))) if profile else b""
    head, listed = box(b"ftyp", brand + bytes(4)), box(b"iinf", bytes(4), struct.pack(">H", len(items)), *infos)
    at = 0
    for _ in range(2):  # sizes do not depend on offsets, so the first round gives the layout
        places = b""
        for number, (_, data) in enumerate(items, 1):
            places += struct.pack(">HHHII", number, 0, 1, at, len(data))
            at += len(data)
        locations = box(b"iloc", bytes(4), b"\x44\0", struct.pack(">H", len(items)), places)
        meta = box(b"meta", bytes(4), box(b"pitm", bytes(6)), listed, locations, properties)
        at = len(head) + len(meta) + 8
    return head + meta + box(b"mdat", *(data for _, data in items))


def avif_with(*, xmp: bytes = b"", alpha: bool = False) -> bytes:
    """A picture as libheif lays it out, with at most an alpha plane and XMP."""
    items = [(b"av01\0", AV1.tiles[0])]
    items += [(b"av01\0", AV1.tiles[1])] if alpha else []
    items += [(b"mime\0application/rdf+xml\0\0", xmp)] if xmp else []
    infos = [full_box(b"infe", struct.pack(">HH", n, 0), kind, version=2) for n, (kind, _) in enumerate(items, 1)]
    depth = full_box(b"pixi", b"\3\x08\x08\x08")
    plane = full_box(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
    catalogue = box(b"ipco", AV1.configuration, size(64, 64), depth, *([plane] if alpha else []))
    uses = b"\0\1\3\1\2\3" + (b"\0\2\3\1\2\4" if alpha else b"")
    head = box(b"ftyp", b"avif", bytes(4), b"mif1avifmiaf")
    at = 0
    for _ in range(2):  # sizes do not depend on offsets, so the first round gives the layout
        places = b""
        for number, (_, data) in enumerate(items, 1):
            places += struct.pack(">HHHII", number, 0, 1, at, len(data))
            at += len(data)
        meta = full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"iloc", b"\x44\0", struct.pack(">H", len(items)), places),
            full_box(b"iinf", struct.pack(">H", len(items)), *infos),
            full_box(b"pitm", b"\0\1"),
            box(b"iprp", catalogue, full_box(b"ipma", struct.pack(">I", 1 + alpha), uses)),
            full_box(b"iref", box(b"auxl", b"\0\2\0\1\0\1")) if alpha else b"",
        )
        at = len(head) + len(meta) + 8
    return head + meta + box(b"mdat", *(data for _, data in items))
