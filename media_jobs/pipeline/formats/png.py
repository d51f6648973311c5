"""The chunks of a PNG, from its bytes. Stdlib only."""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.formats.tiff import EXIF_MARK, orientation

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: At the 8 KB of many encoders, 160 MB.
_MAX_CHUNKS = 20_000
TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})

#: How ImageMagick puts other blocks into texts: in hexadecimal, behind a name and a length.
RAW_PROFILE = b"Raw profile type "
_RAW_PROFILE_HEX = re.compile(rb"\s*\w+\s+\d+\s+([0-9a-fA-F\s]*)")
_EXIF_KEYWORDS = frozenset({RAW_PROFILE + b"exif", RAW_PROFILE + b"APP1"})
_TIFF_MARKS = (b"II*\0", b"MM\0*")
_MAX_EXIF_BYTES = 1_048_576
_MAX_EXIF_TEXTS = 4
_KEYWORD_BYTES = 80


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


def raw_profile(text: bytes) -> bytes:
    """The block that ImageMagick has put into a text; empty where it is damaged."""
    found = _RAW_PROFILE_HEX.match(text)
    try:
        return bytes.fromhex(found[1].decode()) if found else b""
    except ValueError:
        return b""


def exif_in_profile(block: bytes) -> bytes:
    """The TIFF structure in a raw profile, whose mark may be missing; empty where it holds something else."""
    if block.startswith(EXIF_MARK):
        return block.removeprefix(EXIF_MARK)
    return block if block.startswith(_TIFF_MARKS) else b""


def exif_orientation(data: Bytes) -> int:
    """1 to 8, or 0 where no EXIF block says it: eXIf wherever it stands, then those in texts, in their order.

    It looks behind the pixels only where nothing before them says it.
    """
    in_texts = 0
    texts = 0
    with suppress(Damaged):
        for chunk in chunks(data):
            end = min(chunk.end, chunk.start + _MAX_EXIF_BYTES)
            if chunk.kind == b"eXIf":
                if value := orientation(bytes(data[chunk.start : end])):
                    return value
            elif chunk.kind in TEXTS and not in_texts and texts < _MAX_EXIF_TEXTS:
                keyword = bytes(data[chunk.start : min(end, chunk.start + _KEYWORD_BYTES)]).partition(b"\0")[0]
                if keyword in _EXIF_KEYWORDS:
                    texts += 1
                    content = bytes(data[chunk.start : end])
                    in_texts = orientation(exif_in_profile(raw_profile(text(chunk.kind, content, 2 * _MAX_EXIF_BYTES))))
    return in_texts


def _unpacked(data: bytes, limit_bytes: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, limit_bytes)
    except zlib.error:
        return b""
