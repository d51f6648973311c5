"""The blocks of a GIF, from its bytes. Stdlib only."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media_jobs.pipeline.formats.common import Bytes, Damaged

#: Labels of extensions.
PLAIN_TEXT, CONTROL, COMMENT, APPLICATION = 0x01, 0xF9, 0xFE, 0xFF
#: Pieces of 255 bytes at most: 250 MB of pixels, and 0.2 s.
_MAX_PIECES = 1_000_000


class TooManyBlocks(Damaged):
    """More data sub-blocks than a picture of any use has."""


@dataclass(frozen=True, slots=True)
class Extension:
    """`start` and `end` bound its pieces, each with its length before it, the empty last one too."""

    label: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Picture:
    """`at`: where its header stands. `start` and `end` bound its pixels."""

    at: int
    start: int
    end: int


def extensions(data: Bytes) -> Iterator[Extension | int]:
    """Every extension in its order; at the very end, the offset behind the file's own end mark. Raises Damaged."""
    return (part for part in _parts(data) if not isinstance(part, Picture))


def pictures(data: Bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the pixels of each picture, up to the first damage. Raises TooManyBlocks."""
    try:
        yield from ((part.start, part.end) for part in _parts(data) if isinstance(part, Picture))
    except TooManyBlocks:
        raise
    except Damaged:
        return


def first_place(data: Bytes) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of the first picture on its screen; None where there is none."""
    try:
        place = next((part for part in _parts(data) if isinstance(part, Picture)), None)
    except Damaged:
        return None
    if place is None:
        return None
    left, top, width, height = struct.unpack_from("<HHHH", data, place.at + 1)
    return left, top, width, height


def _parts(data: Bytes) -> Iterator[Extension | Picture | int]:
    """Extensions, pictures, and the end of the file. Raises Damaged."""
    if bytes(data[:6]) not in (b"GIF87a", b"GIF89a"):
        raise Damaged("no GIF")
    walk = _Walk(data)
    at = 13 + _colours(walk.byte(10))
    while True:
        kind = walk.byte(at)
        if kind == 0x3B:
            yield at + 1
            return
        if kind == 0x2C:  # a picture: its place, its colours, the size of its first code, its pixels
            start = at + 11 + _colours(walk.byte(at + 9))
            end = walk.over_pieces(start)
            yield Picture(at, start, end)
            at = end
        elif kind == 0x21:
            end = walk.over_pieces(at + 2)
            yield Extension(walk.byte(at + 1), at + 2, end)
            at = end
        else:
            raise Damaged("no block where one must be")


def _colours(flags: int) -> int:
    """Bytes of the colour table that follows."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


class _Walk:
    def __init__(self, data: Bytes) -> None:
        self._data = data
        self._left = _MAX_PIECES

    def byte(self, at: int) -> int:
        if at >= len(self._data):
            raise Damaged("breaks off")
        return self._data[at]

    def over_pieces(self, at: int) -> int:
        """The offset behind the pieces that start at `at`."""
        while True:
            self._left -= 1
            if self._left < 0:
                raise TooManyBlocks("too many pieces")
            size = self.byte(at)
            at += 1 + size
            if size == 0:
                return at
