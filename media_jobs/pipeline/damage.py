"""Why a decoder gave up, told by its words and by the end of the file."""

import struct
from pathlib import Path

from media_jobs import errors
from media_jobs.pipeline.formats import heif, tiff

_CUT_SHORT = ("premature end of JPEG", "Unexpected end of GIF", "unexpected end", "Seek error accessing TIFF directory")
#: Tags of a TIFF that say where strips, and tiles, start and how long they are.
_PIECES = ((0x0111, 0x0117), (0x0144, 0x0145))
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8, 12: 8, 16: 8}
_MAX_ENTRIES = 1_000
_NO_MEMORY = (
    "out of memory",
    "unable to allocate",
    "insufficient memory",
    "cannot allocate",
    "memory allocation error",
)


def refusal(path: Path, format: str, said: str, *, memory_bytes: int) -> errors.ImageRefused:
    """The decoder's error message `said` as one of TooMuchMemory, Truncated and Undecodable."""
    if any(words in said.lower() for words in _NO_MEMORY):
        return errors.TooMuchMemory(needed_bytes=memory_bytes + 1, limit_bytes=memory_bytes)
    if any(words in said for words in _CUT_SHORT) or _breaks_off(path, format):
        return errors.Truncated()
    return errors.Undecodable()


def _breaks_off(path: Path, format: str) -> bool:
    """Whether the file lacks the end that its format promises."""
    with tiff.mapped(path) as data:
        if format == "png":
            return b"IEND" not in data[-64:]
        if format == "gif":
            return b"\x3b" not in data[-4:]
        if format == "tiff":
            return _tiff_breaks_off(data)
        return format in ("avif", "heic") and heif.breaks_off(data)


def _tiff_breaks_off(data: tiff.Bytes) -> bool:
    """Whether the first page, or a piece of it, lies beyond the end of the file."""
    try:
        structure = tiff.Tiff.parse(data)
    except tiff.Damaged:
        return False
    if _directory_end(structure) > len(data):
        return True
    try:
        tags = structure.directory(structure.first)
    except tiff.Damaged:
        return False
    return any(
        start + size > len(data)
        for offsets, sizes in _PIECES
        for start, size in zip(_numbers(tags, offsets), _numbers(tags, sizes), strict=False)
    )


def _directory_end(structure: tiff.Tiff) -> int:
    """The furthest byte that the first directory takes, values that it points to included."""
    order, room = structure.order, 8 if structure.big else 4
    entry = struct.Struct(order + ("HHQQ" if structure.big else "HHII"))
    start = structure.first + (8 if structure.big else 2)
    count = int.from_bytes(structure.data[structure.first : start], "little" if order == "<" else "big")
    end = start + max(1, count) * entry.size
    if end + room > len(structure.data) or count > _MAX_ENTRIES:
        return end + room
    sizes = (
        (at, _TYPE_BYTES.get(kind, 0) * number)
        for _, kind, number, at in entry.iter_unpack(bytes(structure.data[start:end]))
    )
    furthest: int = max((end + room, *(at + size for at, size in sizes if size > room)))
    return furthest


def _numbers(tags: dict[int, tiff.Value], tag: int) -> tuple[int, ...]:
    value = tags.get(tag, ())
    return tuple(number for number in value if isinstance(number, int))
