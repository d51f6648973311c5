"""How many frames an animation has, and a TIFF pages, without a decoder: counting stops just past the limit.

Stdlib only. What is damaged is counted as far as it goes, and left to the decoder.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from media_jobs.pipeline.formats import isobmff, png, riff
from media_jobs.pipeline.formats.tiff import Bytes, Damaged, Tiff

#: At 255 bytes each, they make half a gigabyte.
_MAX_GIF_BLOCKS = 2_000_000
_APNG_FRAME_BYTES = 12 + 26  #: its control chunk
_MAX_TRACKS = 16
_MAX_ENTRIES = 4_096
_MAX_SUB_DIRECTORIES = 64
_MAX_DEPTH = 4
_SUB_DIRECTORIES = 0x014A
_LONG8 = (16, 18)


def frames(format: str, data: Bytes, limit: int) -> int:
    """From 1 to limit + 1. Raises tiff.Damaged where they nest, or are cut up, absurdly."""
    if format == "tiff":
        return max(1, _count(_directories(data), limit))
    if format == "gif":
        return max(1, _count(_gif_frames(data), limit))
    if format == "webp":
        return max(1, _count(_webp_frames(data), limit))
    if format == "png":
        return min(max(1, _apng_frames(data)), limit + 1)
    if format in ("avif", "heic"):
        return min(max(1, _samples(data)), limit + 1)
    return 1


def _count(things: Iterator[object], limit: int) -> int:
    return sum(1 for _ in islice(things, limit + 1))


def _gif_frames(data: Bytes) -> Iterator[object]:
    """One for each image descriptor. Raises Damaged when it has absurdly many parts."""
    at, end = 13 + _colour_table_bytes(data[10:11]), len(data)
    within = False  # the sub-blocks of an image or extension
    for _ in range(_MAX_GIF_BLOCKS):
        if at >= end:
            return
        kind = data[at]
        if within:
            at += kind + 1
            within = kind != 0
        elif kind == 0x2C:  # image: descriptor, colours, code size
            at += 10 + _colour_table_bytes(data[at + 9 : at + 10]) + 1
            within = True
            yield None
        elif kind == 0x21:  # extension
            at += 2
            within = True
        else:
            return
    raise Damaged("a GIF of absurdly many parts")


def _colour_table_bytes(flags: bytes) -> int:
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _webp_frames(data: Bytes) -> Iterator[object]:
    with suppress(riff.Damaged):
        yield from (chunk for chunk in riff.chunks(data) if chunk.kind == b"ANMF")


def _apng_frames(data: Bytes) -> int:
    """As its acTL chunk says, which stands before the pixels; one that the file has no room for is void."""
    with suppress(png.Damaged):
        for chunk in png.chunks(data):
            if chunk.kind == b"acTL":
                told = int.from_bytes(data[chunk.start : chunk.start + 4], "big")
                return told if told * _APNG_FRAME_BYTES <= len(data) else 1
            if chunk.kind == b"IDAT":
                break
    return 1


def _samples(data: Bytes) -> int:
    """Of the longest track."""
    most = 0
    with suppress(isobmff.Damaged):
        moov = isobmff.find(data, "moov")
        inside = isobmff.boxes(data, moov.start, moov.end) if moov else iter(())
        for box in islice((box for box in inside if box.kind == "trak"), _MAX_TRACKS):
            sizes = isobmff.find(data, "mdia", "minf", "stbl", "stsz", start=box.start, end=box.end)
            if sizes:
                most = max(most, int.from_bytes(data[sizes.start + 8 : sizes.start + 12], "big"))
    return most


def _directories(data: Bytes) -> Iterator[object]:
    """One for each page's directory and each below it. Raises Damaged for absurd depth or number."""
    tiff = Tiff.parse(data)
    seen: set[int] = set()
    pending = [(tiff.first, 0)]
    while pending:
        offset, depth = pending.pop()
        if offset in seen:
            continue  # a loop, which ends the list for decoders as well
        if depth > _MAX_DEPTH:
            raise Damaged("directories absurdly deep below others")
        seen.add(offset)
        yield None
        following, below = _links(tiff, offset)
        if following:
            pending.append((following, depth))
        pending += [(child, depth + 1) for child in below]


def _links(tiff: Tiff, offset: int) -> tuple[int, tuple[int, ...]]:
    """Where the next directory lies, 0 if there is none, and the ones below this one. Raises Damaged."""
    order = tiff.order
    entry, word = struct.Struct(order + ("HHQ8s" if tiff.big else "HHI4s")), struct.Struct(order + "IQ"[tiff.big])
    start = offset + (8 if tiff.big else 2)
    count = int.from_bytes(tiff.data[offset:start], "little" if order == "<" else "big")
    if count > _MAX_ENTRIES:
        raise Damaged("a directory of absurd length")
    end = start + count * entry.size
    if end + word.size > len(tiff.data):
        return 0, ()  # beyond the file's end; the decoder knows whether that matters
    below: tuple[int, ...] = ()
    for tag, kind, number, value in entry.iter_unpack(bytes(tiff.data[start:end])):
        if tag == _SUB_DIRECTORIES:
            if number > _MAX_SUB_DIRECTORIES:
                raise Damaged("absurdly many directories below one")
            target = struct.Struct(order + ("Q" if kind in _LONG8 else "I"))
            size = number * target.size
            (at,) = word.unpack(value)
            held = value[:size] if size <= word.size else bytes(tiff.data[at : at + size])
            below = tuple(child for (child,) in target.iter_unpack(held[: len(held) // target.size * target.size]))
    return word.unpack(tiff.data[end : end + word.size])[0], below
