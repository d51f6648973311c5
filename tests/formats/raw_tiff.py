"""A TIFF that grows, and what raw files have in its directories: raw data, previews, a camera's name. Stdlib only."""

import struct
from itertools import pairwise
from typing import Any, NamedTuple

Entry = tuple[int, Any]  #: type and value: bytes as they are, or numbers
Entries = dict[int, Entry]

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 1, 2, 3, 4, 5, 7, 10
RAW_PX = (64, 48)  #: width and height of the raw data

_LETTERS = {SHORT: "H", LONG: "I", RATIONAL: "II", SRATIONAL: "ii"}
_ROOM_BYTES = 1_024
_REDUCED, _CFA, _YCBCR, _JPEG = 1, 32803, 6, 7


class Placed(NamedTuple):
    """A value that lies in the file already."""

    at: int
    size: int


class Structure:
    """A TIFF that grows at its end; the first directory's place is kept free for `finish`."""

    def __init__(self, magic: bytes = b"II*\0", *, first: int = 8, before: bytes = b"") -> None:
        self.first, self.order = first, ">" if magic.startswith(b"M") else "<"
        start = magic + struct.pack(self.order + "I", first) + before
        self.data = bytearray(start.ljust(first + _ROOM_BYTES, b"\0"))

    def put(self, blob: bytes) -> int:
        """Appends `blob` and says where it lies."""
        self.data += b"\0" * (len(self.data) % 2)
        self.data += blob
        return len(self.data) - len(blob)

    def directory(self, entries: Entries, following: int = 0) -> int:
        at = len(self.data) + len(self.data) % 2
        return self.put(directory_bytes(entries, at, following, self.order))

    def finish(self, entries: Entries, following: int = 0) -> bytes:
        first = directory_bytes(entries, self.first, following, self.order)
        assert len(first) <= _ROOM_BYTES
        self.data[self.first : self.first + len(first)] = first
        return bytes(self.data)


def directory_bytes(entries: Entries, at: int, following: int, order: str = "<") -> bytes:
    head, tail = struct.pack(order + "H", len(entries)), b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, (kind, value) in sorted(entries.items()):
        if isinstance(value, Placed):
            head += struct.pack(order + "HHII", tag, kind, value.size, value.at)
            continue
        packed, count = _packed(kind, value, order)
        place = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(order + "I", values_at + len(tail))
        head += struct.pack(order + "HHI", tag, kind, count) + place
        tail += packed + b"\0" * (len(packed) % 2) if len(packed) > 4 else b""
    return head + struct.pack(order + "I", following) + tail


def _packed(kind: int, value: Any, order: str) -> tuple[bytes, int]:
    if isinstance(value, bytes):
        return value, len(value)
    numbers = value if isinstance(value, tuple) else (value,)
    letters = _LETTERS[kind]
    return struct.pack(order + letters * (len(numbers) // len(letters)), *numbers), len(numbers) // len(letters)


def size_px(jpeg: bytes) -> tuple[int, int]:
    """Width and height of a baseline JPEG."""
    frame = jpeg.index(b"\xff\xc0")
    height, width = struct.unpack_from(">HH", jpeg, frame + 5)
    return width, height


def grey_raw(tiff: Structure) -> Entries:
    width, height = RAW_PX
    pixels = struct.pack("<H", 2_000) * (width * height)
    return {
        0x0100: (LONG, width),
        0x0101: (LONG, height),
        0x0102: (SHORT, 16),
        0x0103: (SHORT, 1),
        0x0106: (SHORT, _CFA),
        0x0111: (LONG, tiff.put(pixels)),
        0x0115: (SHORT, 1),
        0x0116: (LONG, height),
        0x0117: (LONG, len(pixels)),
        0x828D: (SHORT, (2, 2)),
        0x828E: (BYTE, bytes([0, 1, 1, 2])),
    }


def jpeg_picture(
    tiff: Structure, jpeg: bytes, *, px: tuple[int, int] | None = None, cuts: tuple[int, ...] = ()
) -> Entries:
    """A directory's own picture. px: another size to be said of it. cuts: where its bytes are parted into strips."""
    width, height = px or size_px(jpeg)
    bounds = (0, *cuts, len(jpeg))
    pieces = [jpeg[start:end] for start, end in pairwise(bounds)]
    return {
        0x00FE: (LONG, _REDUCED),
        0x0100: (LONG, width),
        0x0101: (LONG, height),
        0x0102: (SHORT, (8, 8, 8)),
        0x0103: (SHORT, _JPEG),
        0x0106: (SHORT, _YCBCR),
        0x0111: (LONG, tuple(tiff.put(piece) for piece in pieces)),
        0x0115: (SHORT, 3),
        0x0116: (LONG, -(-height // len(pieces))),
        0x0117: (LONG, tuple(map(len, pieces))),
    }


def bitmap_picture(tiff: Structure, width: int, height: int) -> Entries:
    pixels = b"\x80\x40\x20" * (width * height)
    return {
        0x00FE: (LONG, _REDUCED),
        0x0100: (LONG, width),
        0x0101: (LONG, height),
        0x0102: (SHORT, (8, 8, 8)),
        0x0103: (SHORT, 1),
        0x0106: (SHORT, 2),
        0x0111: (LONG, tiff.put(pixels)),
        0x0115: (SHORT, 3),
        0x0116: (LONG, height),
        0x0117: (LONG, len(pixels)),
    }


def pointed_jpeg(tiff: Structure, jpeg: bytes) -> Entries:
    return {0x0201: (LONG, tiff.put(jpeg)), 0x0202: (LONG, len(jpeg))}


def camera(make: bytes, model: bytes, orientation: int) -> Entries:
    return {0x010F: (ASCII, make), 0x0110: (ASCII, model), 0x0112: (SHORT, orientation)}
