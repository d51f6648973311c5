"""Writes EXIF and XMP into a JPEG: for the sample photographs and for tests, which need facts to strip.

Stdlib only.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 3, 4, 5, 7
_EXIF_DIRECTORY, _GPS_DIRECTORY, _THUMBNAIL_AT, _THUMBNAIL_BYTES = 0x8769, 0x8825, 0x0201, 0x0202

Entry = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a camera would write. Angles in degrees, north and east positive; empty and None are left out."""

    orientation: int = 1
    make: str = ""
    model: str = ""
    serial: str = ""
    taken: datetime | None = None  #: its UTC offset is written if it has one
    latitude: float | None = None
    longitude: float | None = None
    maker_note: bytes = b""
    thumbnail_jpeg: bytes = b""
    creator: str = ""


def with_facts(jpeg: bytes, facts: Facts) -> bytes:
    """The same picture with `facts` as EXIF, and the creator as XMP."""
    segments = _segment(b"Exif\0\0" + exif_block(facts))
    if facts.creator:
        segments += _segment(b"http://ns.adobe.com/xap/1.0/\0" + _xmp(facts.creator))
    return jpeg[:2] + segments + jpeg[2:]


def exif_block(facts: Facts) -> bytes:
    """A TIFF structure, as EXIF has it, without the `Exif` marker."""
    main = [_text(0x010F, facts.make), _text(0x0110, facts.model), _short(0x0112, facts.orientation)]
    detail = [_text(0xA431, facts.serial), (0x927C, _UNDEFINED, facts.maker_note)]
    if facts.taken:
        stamp = facts.taken.strftime("%Y:%m:%d %H:%M:%S")
        offset = facts.taken.isoformat()[19:]
        main.append(_text(0x0132, stamp))
        detail += [_text(0x9003, stamp), _text(0x9011, offset)]
    gps = _gps(facts.latitude, facts.longitude) if facts.latitude is not None else []

    # Directory sizes do not depend on the offsets in them, so a first round with zeros gives the layout.
    at = [0, 0, 0, 0]
    for _ in range(2):
        first = _directory([*main, _long(_EXIF_DIRECTORY, at[0]), _long(_GPS_DIRECTORY, at[1])], 8, at[2])
        at[0] = 8 + len(first)
        second = _directory(detail, at[0])
        at[1] = at[0] + len(second)
        third = _directory(gps, at[1])
        at[2] = at[1] + len(third) if facts.thumbnail_jpeg else 0
        small = [_long(_THUMBNAIL_AT, at[3]), _long(_THUMBNAIL_BYTES, len(facts.thumbnail_jpeg))]
        fourth = _directory(small, at[2]) if facts.thumbnail_jpeg else b""
        at[3] = at[2] + len(fourth)
    return struct.pack("<2sHI", b"II", 42, 8) + first + second + third + fourth + facts.thumbnail_jpeg


def _directory(entries: list[Entry], at: int, following: int = 0) -> bytes:
    """A directory that starts at the offset `at`, with its long values behind it."""
    entries = sorted(entry for entry in entries if entry[2])
    head, tail = struct.pack("<H", len(entries)), b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, value in entries:
        count = len(value) // {_SHORT: 2, _LONG: 4, _RATIONAL: 8}.get(kind, 1)
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", values_at + len(tail))
        tail += value + b"\0" * (len(value) % 2) if len(value) > 4 else b""
        head += struct.pack("<HHI", tag, kind, count) + place
    return head + struct.pack("<I", following) + tail


def _gps(latitude: float, longitude: float | None) -> list[Entry]:
    entries: list[Entry] = [(0x0000, _BYTE, b"\2\3\0\0")]
    for tag, angle, positive, negative in ((1, latitude, "N", "S"), (3, longitude or 0.0, "E", "W")):
        entries.append(_text(tag, positive if angle >= 0 else negative))
        degrees, rest = divmod(abs(angle), 1)
        minutes, rest = divmod(rest * 60, 1)
        parts = (Fraction(int(degrees)), Fraction(int(minutes)), Fraction(rest * 60).limit_denominator(10_000))
        packed = b"".join(struct.pack("<II", part.numerator, part.denominator) for part in parts)
        entries.append((tag + 1, _RATIONAL, packed))
    return entries


def _text(tag: int, text: str) -> Entry:
    return tag, _ASCII, text.encode() + b"\0" if text else b""


def _short(tag: int, value: int) -> Entry:
    return tag, _SHORT, struct.pack("<H", value)


def _long(tag: int, value: int) -> Entry:
    return tag, _LONG, struct.pack("<I", value)


def _segment(payload: bytes) -> bytes:
    return struct.pack(">2sH", b"\xff\xe1", len(payload) + 2) + payload


def _xmp(creator: str) -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:creator><rdf:Seq><rdf:li>{creator}</rdf:li></rdf:Seq></dc:creator>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
