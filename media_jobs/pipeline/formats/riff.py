"""The chunks of a WebP, from its bytes. Stdlib only."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media_jobs.pipeline.formats.common import Bytes, Damaged

#: Bits of the first byte of a VP8X chunk.
XMP, EXIF, ALPHA, ICC = 0x04, 0x08, 0x10, 0x20
_MAX_CHUNKS = 20_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """`kind`: its four letters. `start` and `end` bound its data; a byte of padding follows where that is odd."""

    kind: bytes
    start: int
    end: int


def end(data: Bytes) -> int:
    """The offset at which the file says that it ends. Raises Damaged."""
    head = bytes(data[:12])
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise Damaged("no WebP")
    return 8 + int.from_bytes(head[4:8], "little")


def chunks(data: Bytes) -> Iterator[Chunk]:
    """Every chunk up to the file's end; each starts where the one before it ended. Raises Damaged."""
    at, stop = 12, end(data)
    for _ in range(_MAX_CHUNKS):
        if at >= stop:
            return
        head = bytes(data[at : at + 8])
        over = at + 8 + int.from_bytes(head[4:], "little")
        if len(head) < 8 or over > min(stop, len(data)):
            raise Damaged("a chunk that breaks off")
        yield Chunk(head[:4], at + 8, over)
        at = over + (over - at) % 2
    raise Damaged("too many chunks")


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def canvas(data: Bytes, picture: Chunk) -> tuple[int, int, bool]:
    """Width, height and whether it may have alpha, as a VP8, VP8L or VP8X chunk says. Raises Damaged."""
    head = bytes(data[picture.start : min(picture.end, picture.start + 10)])
    if picture.kind == b"VP8 " and len(head) == 10 and head[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF, False
    if picture.kind == b"VP8L" and len(head) >= 5 and head[0] == 0x2F:
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    if picture.kind == b"VP8X" and len(head) == 10:
        width, height = int.from_bytes(head[4:7], "little"), int.from_bytes(head[7:10], "little")
        return width + 1, height + 1, bool(head[0] & ALPHA)
    raise Damaged("no picture")
