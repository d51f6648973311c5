"""Directories of TIFF as raw files have them: counted from anywhere in the file, values read when asked for."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from media_jobs.pipeline.formats.common import Bytes, Damaged

MAX_ENTRIES = 1_000
#: Offsets of strips, at most.
MAX_VALUES = 4_096
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_BIG_MAGIC = 43
#: TIFF; Olympus, twice; Panasonic.
_MAGICS = frozenset({42, 0x4F52, 0x5352, 0x0055})


class Beyond(Exception):
    """Something lies beyond the end of the file, or before its start."""


class Entry(NamedTuple):
    """A tag's type, its number of values, and where in the file they lie."""

    kind: int
    number: int
    at: int

    @property
    def size_bytes(self) -> int:
        return _SIZES.get(self.kind, 0) * self.number


@dataclass(frozen=True, slots=True)
class Structure:
    """How directories are written. order: struct's "<" or ">". base: where in the file their offsets count from."""

    data: Bytes
    order: str
    base: int = 0
    big: bool = False

    def read(self, at: int, size: int) -> bytes:
        """`size` bytes at `at` in the file. Raises Beyond."""
        if at < 0 or at + size > len(self.data):
            raise Beyond
        return bytes(self.data[at : at + size])

    def integer(self, at: int, size: int) -> int:
        """Raises Beyond."""
        return int.from_bytes(self.read(at, size), "little" if self.order == "<" else "big")

    def offset(self, at: int) -> int:
        """Where in the file the offset that lies at `at` leads. Raises Beyond."""
        return self.base + self.integer(at, 8 if self.big else 4)

    def directory(self, at: int) -> "Directory":
        """The one at `at` in the file. Raises Beyond, and Damaged for absurdly many entries, or none."""
        head, room = (8, 8) if self.big else (2, 4)
        count = self.integer(at, head)
        if not 0 < count <= MAX_ENTRIES:
            raise Damaged("a directory of absurd length")
        layout = struct.Struct(self.order + ("HHQ8x" if self.big else "HHI4x"))
        at += head
        entries: dict[int, Entry] = {}
        for index, (tag, kind, number) in enumerate(layout.iter_unpack(self.read(at, count * layout.size))):
            place = at + (index + 1) * layout.size - room
            entry = Entry(kind, number, place)
            entries.setdefault(tag, entry if entry.size_bytes <= room else entry._replace(at=self.offset(place)))
        end = at + count * layout.size
        following = self.integer(end, room) if end + room <= len(self.data) else 0
        return Directory(self, entries, self.base + following if following else 0)


@dataclass(frozen=True, slots=True)
class Directory:
    """following: where in the file the next directory lies, 0 if there is none."""

    structure: Structure
    entries: dict[int, Entry]
    following: int

    def numbers(self, tag: int, most: int = MAX_VALUES) -> tuple[int, ...]:
        """The values of an integer tag; none where there are more than `most`. Raises Beyond."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS or not 0 < entry.number <= most:
            return ()
        layout = f"{self.structure.order}{entry.number}{_INTEGERS[entry.kind]}"
        return struct.unpack(layout, self.structure.read(entry.at, entry.size_bytes))

    def number(self, tag: int, default: int = 0) -> int:
        """The first value of an integer tag. Raises Beyond."""
        return next(iter(self.numbers(tag)), default)

    def places(self, tag: int, most: int) -> tuple[int, ...]:
        """Where in the file the offsets in an integer tag lead. Raises Beyond."""
        return tuple(self.structure.base + offset for offset in self.numbers(tag, most))

    def pair(self, start_tag: int, size_tag: int) -> tuple[tuple[int, int], ...]:
        """The one extent that a tag of its offset and one of its length name; none without both. Raises Beyond."""
        start, size = self.places(start_tag, 1), self.numbers(size_tag, 1)
        return ((start[0], start[0] + size[0]),) if start and size else ()


def parse(data: Bytes, at: int = 0) -> tuple[Structure, int]:
    """The structure whose header lies at `at`, and its first directory. Raises Damaged, Beyond."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[at : at + 2]))
    if order is None:
        raise Damaged("no TIFF header")
    structure = Structure(data, order, at)
    magic = structure.integer(at + 2, 2)
    if magic == _BIG_MAGIC:
        structure = Structure(data, order, at, big=True)
        return structure, structure.offset(at + 8)
    if magic not in _MAGICS:
        raise Damaged("no TIFF header")
    return structure, structure.offset(at + 4)
