"""Finds roughly where a file says how long its parts are: a fuzzer needs hits, not truth."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: Structures within structures are looked into so deep.
_DEPTH = 7
_MOST = 200
_CONTAINER_BOXES = (b"meta", b"iprp", b"ipco", b"iinf", b"moov", b"trak", b"iref", b"dinf")
_RAW_BOXES = (b"uuid", b"mdia", b"minf", b"stbl", b"stsd", b"CRAW")
#: How much stands in these before the boxes.
_HEADERS_BYTES = {b"meta": 12, b"iinf": 14, b"iref": 12, b"uuid": 24, b"stsd": 16, b"CRAW": 90}
_LEADING_BELOW = (0x014A, 0x8769)
_MOST_DIRECTORIES = 12


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk, segment, box or directory entry, with the place and struct letters of a number in it that counts."""

    start: int
    end: int
    number_at: int
    letters: str


def parts(data: bytes) -> list[Part]:
    """The parts in no special order; none where nothing is recognised."""
    found: list[Part] = []
    for part in _parts(data):
        if part.start < part.end <= len(data) and len(found) < _MOST:
            found.append(part)
    return found


def _parts(data: bytes) -> Iterator[Part]:
    if data.startswith(b"\x89PNG"):
        yield from png_chunks(data)
    elif data.startswith(b"\xff\xd8"):
        yield from _segments(data)
    elif data.startswith(b"RIFF"):
        yield from _chunks(data, 12, "<I", 4, 8, even=True)
    elif data[4:8] == b"ftyp":
        yield from _boxes(data, 0, len(data), _DEPTH)
    elif data.startswith(b"BM"):
        yield from (Part(at, at + 4, at, "<I") for at in range(2, min(len(data) - 4, 54), 4))
    for header in re.finditer(rb"II\*\0|MM\0\*|IIRO|MMOR|IIU\0", data):
        yield from _entries(data, header.start())


def png_chunks(data: bytes) -> Iterator[Part]:
    """The last may end beyond `data`."""
    return _chunks(data, 8, ">I", 0, 12, even=False)


def _chunks(data: bytes, at: int, letters: str, number_at: int, around: int, *, even: bool) -> Iterator[Part]:
    """The chunks of a PNG or RIFF: a length, a kind and contents, in one order or the other."""
    while at + around <= len(data):
        (size,) = struct.unpack_from(letters, data, at + number_at)
        end = at + around + size + (size % 2 if even else 0)
        yield Part(at, end, at + number_at, letters)
        at = end


def _segments(data: bytes) -> Iterator[Part]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield Part(at, end, at + 2, ">H")
        at = end


def _boxes(data: bytes, at: int, end: int, depth: int) -> Iterator[Part]:
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        stop = at + size if size >= 8 else end
        yield Part(at, stop, at, ">I")
        if depth and kind in _CONTAINER_BOXES + _RAW_BOXES:
            yield from _boxes(data, at + _HEADERS_BYTES.get(kind, 8), min(stop, end), depth - 1)
        # What boxes say of places and sizes comes soon after their names.
        yield from (Part(place, place + 4, place, ">I") for place in range(at + 8, min(stop, at + 40, end) - 4, 4))
        at = stop


def _entries(data: bytes, base: int) -> Iterator[Part]:
    """The entries of the first TIFF directories: type, count and value each."""
    order = "<" if data[base : base + 2] == b"II" else ">"
    waiting = [base + int.from_bytes(data[base + 4 : base + 8], "little" if order == "<" else "big")]
    for start in waiting:  # which grows
        if start + 2 > len(data):
            continue
        (count,) = struct.unpack_from(order + "H", data, start)
        at = start + 2
        for at in range(start + 2, min(start + 2 + 12 * count, len(data) - 12), 12):
            yield Part(at, at + 12, at + 2, order + "H")
            yield Part(at, at + 12, at + 4, order + "I")
            yield Part(at, at + 12, at + 8, order + "I")
            tag, _, number, value = struct.unpack_from(order + "HHII", data, at)
            if tag in _LEADING_BELOW and number == 1:
                waiting.append(base + value)
        if at + 16 <= len(data):
            waiting.append(base + struct.unpack_from(order + "I", data, at + 12)[0])
        del waiting[_MOST_DIRECTORIES:]
