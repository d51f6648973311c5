"""Reads EXIF, and the directories of TIFF files: which tags there are, and the values of those that are wanted.

Only wanted values are decoded, whatever a file claims to hold. Entries of unknown type, and those whose values lie
outside of the data, are damage and have no names: those could be anything.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from media_jobs.pipeline.formats.common import Bytes
from media_jobs.pipeline.privacy import names

Numbers = tuple[Fraction | None, ...]  #: None where a denominator is zero

#: Groups of tags: the first directory, the EXIF one, the position, and those of other pictures within the file.
MAIN, DETAIL, POSITION, OTHER = "main", "detail", "position", "other"

ARTIST, COPYRIGHT, MAKE, MODEL, ORIENTATION = 0x013B, 0x8298, 0x010F, 0x0110, 0x0112
XP_AUTHOR = 0x9C9D  #: Windows' own, in UTF-16
EXPOSURE_TIME, F_NUMBER, ISO, FOCAL_LENGTH = 0x829A, 0x829D, 0x8827, 0x920A
TAKEN, TAKEN_OFFSET = 0x9003, 0x9011
LENS_MODEL, BODY_SERIAL, LENS_SERIAL, DNG_SERIAL = 0xA434, 0xA431, 0xA435, 0xC62F
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, ALTITUDE_REF, ALTITUDE = range(1, 7)

#: What lies in a tag's value in another language: kept as bytes, for others to read.
XMP, IPTC, PHOTOSHOP, ICC, PANASONIC_JPEG = 0x02BC, 0x83BB, 0x8649, 0x8773, 0x002E
_EMBEDDED_BYTES = {XMP: 1_048_576, IPTC: 262_144, PHOTOSHOP: 1_048_576, ICC: 0, PANASONIC_JPEG: 262_144}

_POINTERS = {0x8769: DETAIL, 0x8825: POSITION, 0xA005: OTHER}
_SUB_DIRECTORIES = 0x014A
_WANTED = {
    MAIN: {ARTIST, COPYRIGHT, XP_AUTHOR, MAKE, MODEL, DNG_SERIAL, *_EMBEDDED_BYTES},
    DETAIL: {EXPOSURE_TIME, F_NUMBER, ISO, FOCAL_LENGTH, TAKEN, TAKEN_OFFSET, LENS_MODEL, BODY_SERIAL, LENS_SERIAL},
    POSITION: {LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, ALTITUDE_REF, ALTITUDE},
    OTHER: set[int](),
}
#: How a TIFF file stores its pixels; nothing about them.
_STRUCTURE = frozenset(
    {0xFE, 0xFF, *range(0x100, 0x104), 0x106, 0x10A, 0x111, *range(0x115, 0x11D), 0x122, 0x123, 0x128, 0x13D, 0x140}
    | {0x142, 0x143, 0x144, 0x145, 0x152, 0x153, 0x15B, *range(0x200, 0x215)}
)
_THUMBNAIL = frozenset({0x0111, 0x0201})
_C2PA = 0xCD41

_MAGICS = {42: False, 43: True, 0x4F52: False, 0x5352: False, 0x0055: False}  # TIFF, BigTIFF, ORF twice, RW2
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8, 129: 1}
_LETTERS = {1: "B", 3: "H", 4: "I", 5: "I", 6: "b", 8: "h", 9: "i", 10: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_RATIONALS = (5, 10)
_MAX_DIRECTORIES = 32
_MAX_ENTRIES = 1_000
_MAX_VALUES = 32
_MAX_TEXT_BYTES = 4096


@dataclass(slots=True)
class Exif:
    """Values of wanted tags as bytes, by group and number."""

    values: dict[tuple[str, int], tuple[int, str, bytes]] = field(default_factory=dict)

    def text(self, group: str, tag: int) -> str:
        """The text of a tag up to its end mark; empty where there is none."""
        return decoded(self.raw(group, tag).split(b"\0")[0])

    def wide_text(self, group: str, tag: int) -> str:
        """The text of a tag of Windows' own."""
        return self.raw(group, tag).decode("utf-16-le", "replace").split("\0")[0]

    def raw(self, group: str, tag: int) -> bytes:
        return self.values.get((group, tag), (0, "", b""))[2]

    def numbers(self, group: str, tag: int) -> Numbers:
        kind, order, data = self.values.get((group, tag), (0, "", b""))
        if kind not in _LETTERS:
            return ()
        count = min(len(data) // _SIZES[kind], _MAX_VALUES)
        flat = struct.unpack_from(f"{order}{count * (1 + (kind in _RATIONALS))}{_LETTERS[kind]}", data)
        if kind not in _RATIONALS:
            return tuple(Fraction(n) for n in flat)
        return tuple(Fraction(n, d) if d else None for n, d in zip(flat[::2], flat[1::2], strict=True))

    def number(self, group: str, tag: int) -> Fraction | None:
        return next(iter(self.numbers(group, tag)), None)


def decoded(data: bytes) -> str:
    """The text of a tag. EXIF says ASCII; programs write UTF-8, perhaps cut within a letter, or Windows' Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and not data[: error.start].isascii():
            return data[: error.start].decode()
        return data.decode("cp1252", "replace")


def read(data: Bytes, into: Exif, found: set[str], *, group: str = MAIN, picture: bool = False) -> None:
    """Add the tags of a TIFF structure to `into`, their names to `found`. What is damaged is left out.

    group: of the first directory. picture: it is the file itself and not a part with metadata.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    magic = struct.unpack_from(order + "H", data, 2)[0] if order and len(data) >= 16 else None
    if magic not in _MAGICS:
        found.add("EXIF that cannot be read")
        return
    big = _MAGICS[magic]
    first = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    _Reader(data, (order, big), into, found, picture=picture).read(group, first)


def _name(group: str, tag: int) -> str:
    if group == OTHER and tag in _THUMBNAIL:
        return "EXIF thumbnail"
    return "C2PA manifest" if tag == _C2PA and group != POSITION else names.exif(tag, position=group == POSITION)


class _Reader:
    def __init__(self, data: Bytes, layout: tuple[str, bool], into: Exif, found: set[str], *, picture: bool) -> None:
        order, big = layout
        self._data, self._order, self._into, self._found, self._picture = data, order, into, found, picture
        self._count = struct.Struct(order + ("Q" if big else "H"))
        self._entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
        self._offset = struct.Struct(order + ("Q" if big else "I"))

    def read(self, group: str, offset: int) -> None:
        """The directory at `offset`, and what it leads to."""
        waiting, seen = [(group, offset)], {0}
        while waiting and len(seen) <= _MAX_DIRECTORIES:
            group, offset = waiting.pop(0)
            if offset in seen:
                continue
            seen.add(offset)
            start = offset + self._count.size
            if start > len(self._data):
                continue
            count = self._count.unpack(self._data[offset:start])[0]
            room = (len(self._data) - start) // self._entry.size
            end = start + min(count, room, _MAX_ENTRIES) * self._entry.size
            for tag, kind, values, place in self._entry.iter_unpack(self._data[start:end]):
                size = values * _SIZES.get(kind, 0)
                if size and (size <= len(place) or self._at(place) + size <= len(self._data)):
                    waiting += self._take(group, tag, kind, size, place)
            following = bytes(self._data[end : end + self._offset.size])
            if group in (MAIN, OTHER) and count <= room and len(following) == self._offset.size:
                waiting.append((OTHER, self._offset.unpack(following)[0]))

    def _take(self, group: str, tag: int, kind: int, size: int, place: bytes) -> Iterator[tuple[str, int]]:
        """Note an entry whose value is at hand. Yields directories that it points to."""
        if tag in _POINTERS or tag == _SUB_DIRECTORIES:
            value = self._value(size, place, 8 * self._offset.size)
            for at in range(0, len(value) - self._offset.size + 1, self._offset.size):
                yield _POINTERS.get(tag, OTHER), self._offset.unpack_from(value, at)[0]
            return
        if group == MAIN and tag in _EMBEDDED_BYTES:
            if tag == ICC:
                self._found.add("ICC profile")
        elif not self._picture or group in (DETAIL, POSITION) or tag not in _STRUCTURE:
            self._found.add(_name(group, tag))
        if tag in _WANTED[group] and (group, tag) not in self._into.values:
            value = self._value(size, place, _EMBEDDED_BYTES.get(tag, _MAX_TEXT_BYTES))
            self._into.values[group, tag] = kind, self._order, value

    def _value(self, size: int, place: bytes, limit_bytes: int) -> bytes:
        """Short values lie in the entry itself, others where the entry points to."""
        start = self._at(place)
        return place[:size] if size <= len(place) else bytes(self._data[start : start + min(size, limit_bytes)])

    def _at(self, place: bytes) -> int:
        return int(self._offset.unpack(place)[0])
