"""Reads the directories of TIFF and EXIF, defensively: whatever the bytes say, an answer or `Damaged`, soon.

Stdlib only. Knows classic TIFF and BigTIFF, both byte orders, and the raw files of Olympus (ORF) and Panasonic (RW2),
which are TIFF but for their magic number.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media_jobs.pipeline.formats.common import Bytes, Damaged

Value = bytes | tuple[int, ...]

EXIF_MARK = b"Exif\0\0"

_MAX_ENTRIES = 1_000
_MAX_VALUES = 65_536
_MAX_BELOW = 64
_MAX_DEPTH = 4
_ORIENTATION, _SUB_DIRECTORIES = 0x0112, 0x014A
#: Offsets and sizes of strips, and of tiles.
_PIECES = ((0x0111, 0x0117), (0x0144, 0x0145))
_BIG_MAGIC = 43
_RATIONAL = 5
#: TIFF; `IIRO` or `MMOR`, `IIRS` (Olympus); `IIU\0` (Panasonic).
_MAGICS = frozenset({42, 0x4F52, 0x5352, 0x0055})
#: struct's letters, by type: texts, whole numbers, and what only its size is known of.
_TEXTS = {2: "s", 7: "s"}
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_LETTERS = {**_TEXTS, **_INTEGERS, 5: "Q", 10: "q", 11: "f", 12: "d"}


@dataclass(frozen=True, slots=True)
class Tiff:
    """A TIFF structure within bytes that start at its header."""

    data: Bytes
    order: str  #: struct's "<" or ">"
    big: bool
    first: int  #: offset of the first directory

    @classmethod
    def parse(cls, data: Bytes) -> "Tiff":
        """Raises Damaged unless `data` starts with a TIFF header."""
        order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
        if order is None or len(data) < 16:
            raise Damaged("no TIFF header")
        (magic,) = struct.unpack_from(order + "H", data, 2)
        if magic in _MAGICS:
            return cls(data, order, big=False, first=struct.unpack_from(order + "I", data, 4)[0])
        if magic == _BIG_MAGIC:
            return cls(data, order, big=True, first=struct.unpack_from(order + "Q", data, 8)[0])
        raise Damaged("no TIFF header")

    def first_tags(self) -> dict[int, Value]:
        """The readable tags of the first directory. Raises Damaged where there is none."""
        if tags := self.directory(self.first).tags():
            return tags
        raise Damaged("a directory without a readable tag")

    def directory(self, offset: int) -> "Directory":
        """The one at `offset`, as far as the data hold it. Raises Damaged for absurdly many entries."""
        room = 8 if self.big else 4
        entry = struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))
        start = offset + (8 if self.big else 2)
        count = self.integer(bytes(self.data[offset:start]))
        if count > _MAX_ENTRIES:
            raise Damaged("a directory of absurd length")
        present = max(0, min(count, (len(self.data) - start) // entry.size))
        entries = tuple(entry.iter_unpack(bytes(self.data[start : start + present * entry.size])))
        end = start + count * entry.size
        link = bytes(self.data[end : end + room])
        return Directory(self, entries, self.integer(link) if len(link) == room else 0, end + room)

    def directories(self) -> Iterator["Directory"]:
        """The directories of every page, and those below each, as far as they are there.

        Raises Damaged for absurd depth or number, and where the first is not to be read.
        """
        seen: set[int] = set()
        pending = [(self.first, 0)]
        while pending:
            offset, depth = pending.pop()
            if offset in seen:
                continue  # a loop, which ends the list for decoders as well
            if depth > _MAX_DEPTH:
                raise Damaged("directories absurdly deep below others")
            seen.add(offset)
            try:
                directory = self.directory(offset)
            except Damaged:
                if depth or offset == self.first:
                    raise
                continue  # the pages before it are none the worse
            yield directory
            if directory.following:
                pending.append((directory.following, depth))
            pending += [(child, depth + 1) for child in directory.below()]

    def integer(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self.order == "<" else "big")


@dataclass(frozen=True, slots=True)
class Directory:
    """entries: tag, type, number of values, and these themselves where they are short, else their offset.

    following: offset of the next directory, 0 if there is none. end: of this one, perhaps beyond the data.
    """

    tiff: Tiff
    entries: tuple[tuple[int, int, int, bytes], ...]
    following: int
    end: int

    def tags(self) -> dict[int, Value]:
        """Texts and whole numbers. What is of another type, absurdly long, or outside of the data is left out."""
        values = ((tag, self._value(kind, count, place)) for tag, kind, count, place in reversed(self.entries))
        return {tag: value for tag, value in values if value is not None}

    def below(self) -> tuple[int, ...]:
        """Offsets of the directories below this one. Raises Damaged for absurdly many."""
        for tag, kind, count, place in self.entries:
            if tag == _SUB_DIRECTORIES:
                if count > _MAX_BELOW:
                    raise Damaged("absurdly many directories below one")
                value = self._value(kind, count, place)
                return value if isinstance(value, tuple) else ()
        return ()

    def rationals(self, tag: int) -> tuple[float, ...]:
        """The fractions of a tag; empty where they are missing or lie outside of the data."""
        entry = next((entry for entry in self.entries if entry[:2] == (tag, _RATIONAL)), None)
        if entry is None or entry[2] > _MAX_VALUES:
            return ()
        size, at = 8 * entry[2], self.tiff.integer(entry[3])
        data = entry[3] if size <= len(entry[3]) else bytes(self.tiff.data[at : at + size])
        if len(data) < size:
            return ()
        pairs = struct.iter_unpack(self.tiff.order + "II", data[:size])
        return tuple(above / below if below else 0.0 for above, below in pairs)

    def place(self, tag: int) -> int | None:
        """Where in the data the value of a tag stands, or the offset to it, if the whole directory is there."""
        tags = [entry[0] for entry in self.entries]
        if tag not in tags:
            return None
        room = 8 if self.tiff.big else 4
        entry_bytes = 4 + 2 * room
        return self.link() - (len(tags) - tags.index(tag)) * entry_bytes + entry_bytes - room

    def link(self) -> int:
        """Where in the data the offset of the next directory stands."""
        return self.end - (8 if self.tiff.big else 4)

    def reach(self) -> int:
        """The end of this and of all values that it points to, perhaps beyond the data."""
        sizes = (
            (struct.calcsize("<" + _LETTERS.get(kind, "")) * count, place) for _, kind, count, place in self.entries
        )
        return max(self.end, *(self.tiff.integer(place) + size for size, place in sizes if size > len(place)), 0)

    def _value(self, kind: int, count: int, place: bytes) -> Value | None:
        if count > _MAX_VALUES or (kind not in _TEXTS and kind not in _INTEGERS):
            return None
        layout = struct.Struct(f"{self.tiff.order}{count}{_LETTERS[kind]}")
        at = self.tiff.integer(place)
        data = place[: layout.size] if layout.size <= len(place) else bytes(self.tiff.data[at : at + layout.size])
        if len(data) < layout.size:
            return None
        return data if kind in _TEXTS else layout.unpack(data)


def number(tags: dict[int, Value], tag: int, default: int = 0) -> int:
    """The first value of an integer tag."""
    return next(iter(numbers(tags, tag)), default)


def numbers(tags: dict[int, Value], tag: int) -> tuple[int, ...]:
    """All values of an integer tag."""
    value = tags.get(tag)
    return value if isinstance(value, tuple) else ()


def pieces(tags: dict[int, Value]) -> Iterator[tuple[int, int]]:
    """Start and end of every strip, or tile, of a page, wherever that is."""
    for offsets, sizes in _PIECES:
        for start, size in zip(numbers(tags, offsets), numbers(tags, sizes), strict=False):
            yield start, start + size


def orientation(data: Bytes) -> int:
    """The tag of an EXIF block, with its mark or without, or of a TIFF file: 1 to 8, 0 where none can be read."""
    try:
        value = number(Tiff.parse(data[6:] if data[:6] == EXIF_MARK else data).first_tags(), _ORIENTATION)
    except Damaged:
        return 0
    return value if 1 <= value <= 8 else 0


def text(tags: dict[int, Value], tag: int) -> str:
    """An ASCII tag up to its end mark; bytes of other encodings are replaced."""
    value = tags.get(tag)
    return value.split(b"\0")[0].decode("utf-8", "replace").strip() if isinstance(value, bytes) else ""
