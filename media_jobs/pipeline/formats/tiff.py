"""Reading the directories of TIFF and EXIF, defensively: whatever the bytes say, an answer or `Damaged`, soon.

Stdlib only. Knows classic TIFF and BigTIFF, both byte orders, and the raw files of Olympus (ORF) and Panasonic (RW2),
which are TIFF but for their magic number.
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

Bytes = bytes | mmap.mmap
Value = bytes | tuple[int, ...] | tuple[Fraction, ...]

_MAX_ENTRIES = 1_000
_MAX_VALUES = 65_536
#: struct letter and size of the types whose values are plain integers.
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_ASCII, _UNDEFINED = 2, 7
_BIG_MAGIC = 43
#: TIFF; `IIRO` or `MMOR`, `IIRS` (Olympus); `IIU\0` (Panasonic).
_MAGICS = frozenset({42, 0x4F52, 0x5352, 0x0055})
_RATIONALS = {5: "II", 10: "ii"}


class Damaged(ValueError):
    """Not a TIFF structure, or it points outside of the bytes at hand."""


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file that is not empty, without reading those that nobody asks for."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


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

    def directory(self, offset: int) -> dict[int, Value]:
        """The readable tags of the directory at `offset`. Raises Damaged when it lies outside of the data.

        Tags whose values lie outside, or are of no known type, are left out.
        """
        count_type, entry_size = ("Q", 20) if self.big else ("H", 12)
        count = self._unpack(count_type, offset)[0]
        start = offset + struct.calcsize(self.order + count_type)
        if count > _MAX_ENTRIES:
            raise Damaged("a directory of absurd length")
        tags: dict[int, Value] = {}
        for i in range(count):
            at = start + i * entry_size
            try:
                tag, kind = self._unpack("HH", at)
                tags.setdefault(tag, self._value(kind, at + 4))
            except Damaged:
                continue
        if not tags:
            raise Damaged("a directory without a readable tag")
        return tags

    def _value(self, kind: int, at: int) -> Value:
        count = self._unpack("Q" if self.big else "I", at)[0]
        room = 8 if self.big else 4
        if count > _MAX_VALUES:
            raise Damaged("a value of absurd length")
        if kind in (_ASCII, _UNDEFINED):
            return bytes(self._bytes(self._place(at + room, room, count), count))
        if kind in _RATIONALS:
            flat = self._unpack(_RATIONALS[kind] * count, self._place(at + room, room, 8 * count))
            pairs = zip(flat[::2], flat[1::2], strict=True)
            return tuple(Fraction(n, d) if d else Fraction(0) for n, d in pairs)
        if kind in _INTEGERS:
            letter = _INTEGERS[kind]
            size = struct.calcsize(self.order + letter) * count
            return tuple(self._unpack(letter * count, self._place(at + room, room, size)))
        raise Damaged("a value of unknown type")

    def _place(self, at: int, room: int, size: int) -> int:
        """Short values lie in the entry itself, others where the entry points to."""
        return at if size <= room else int(self._unpack("Q" if self.big else "I", at)[0])

    def _unpack(self, letters: str, at: int) -> tuple[int, ...]:
        layout = struct.Struct(self.order + letters)
        return layout.unpack(self._bytes(at, layout.size))

    def _bytes(self, at: int, size: int) -> bytes:
        if at < 0 or at + size > len(self.data):
            raise Damaged("points outside of the data")
        return bytes(self.data[at : at + size])


def number(tags: dict[int, Value], tag: int, default: int = 0) -> int:
    """The first value of an integer tag."""
    value = tags.get(tag)
    return value[0] if isinstance(value, tuple) and value and isinstance(value[0], int) else default


def text(tags: dict[int, Value], tag: int) -> str:
    """An ASCII tag up to its end mark; bytes of other encodings are replaced."""
    value = tags.get(tag)
    return value.split(b"\0")[0].decode("utf-8", "replace").strip() if isinstance(value, bytes) else ""
