"""The chunks of a PNG, from its bytes. Stdlib only."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from media_jobs.pipeline.formats.common import Bytes, Damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: At the 8 KB of many encoders, 160 MB.
_MAX_CHUNKS = 20_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """`kind`: its four letters. `start` and `end` bound its data; four bytes of checksum follow."""

    kind: bytes
    start: int
    end: int


def chunks(data: Bytes) -> Iterator[Chunk]:
    """Every chunk up to IEND; each starts where the one before it ended. Raises Damaged."""
    if bytes(data[:8]) != SIGNATURE:
        raise Damaged("no PNG")
    at = 8
    for _ in range(_MAX_CHUNKS):
        head = bytes(data[at : at + 8])
        end = at + 8 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or end + 4 > len(data):
            raise Damaged("a chunk that breaks off")
        yield Chunk(head[4:], at + 8, end)
        if head[4:] == b"IEND":
            return
        at = end + 4
    raise Damaged("too many chunks")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A whole chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text(kind: bytes, data: bytes, limit_bytes: int) -> bytes:
    """What a tEXt, zTXt or iTXt chunk says behind its keyword, unpacked up to a limit. What is damaged is empty."""
    rest = data.partition(b"\0")[2]
    if kind == b"tEXt":
        return rest[:limit_bytes]
    if kind == b"zTXt":
        return _unpacked(rest[1:], limit_bytes)
    body = rest[2:].split(b"\0", 2)[-1]  # behind the language and the translated keyword
    return _unpacked(body, limit_bytes) if rest[:1] == b"\1" else body[:limit_bytes]


def _unpacked(data: bytes, limit_bytes: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, limit_bytes)
    except zlib.error:
        return b""
