"""How many frames an animation has, and a TIFF pages, without a decoder: counting stops just past the limit.

Stdlib only. What is damaged is counted as far as it goes, and left to the decoder.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from media_jobs.pipeline.formats import gif, isobmff, png, riff
from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.formats.tiff import Tiff

_APNG_FRAME_BYTES = 12 + 26  #: its control chunk
_MAX_TRACKS = 16


def frames(format: str, data: Bytes, limit: int) -> int:
    """How many frames or pages there are, from 1 to limit + 1. Raises Damaged where they nest absurdly."""
    if format == "tiff":
        return max(1, _count(Tiff.parse(data).directories(), limit))
    if format == "gif":
        return max(1, _count(gif.pictures(data), limit))
    if format == "webp":
        return max(1, _count(_webp_frames(data), limit))
    if format == "png":
        return min(max(1, _apng_frames(data)), limit + 1)
    if format in ("avif", "heic"):
        return min(max(1, _samples(data)), limit + 1)
    return 1


def _count(things: Iterator[object], limit: int) -> int:
    return sum(1 for _ in islice(things, limit + 1))


def _webp_frames(data: Bytes) -> Iterator[object]:
    with suppress(Damaged):
        yield from (chunk for chunk in riff.chunks(data) if chunk.kind == b"ANMF")


def _apng_frames(data: Bytes) -> int:
    """The number in its acTL chunk, which stands before the pixels; 1 where the file has no room for so many."""
    with suppress(Damaged):
        for chunk in png.chunks(data):
            if chunk.kind == b"acTL":
                count = int.from_bytes(data[chunk.start : chunk.start + 4], "big")
                return count if count * _APNG_FRAME_BYTES <= len(data) else 1
            if chunk.kind == b"IDAT":
                break
    return 1


def _samples(data: Bytes) -> int:
    """How many samples the longest track has."""
    most = 0
    with suppress(Damaged):
        moov = isobmff.find(data, "moov")
        inside = isobmff.boxes(data, moov.start, moov.end) if moov else iter(())
        for box in islice((box for box in inside if box.kind == "trak"), _MAX_TRACKS):
            sizes = isobmff.find(data, "mdia", "minf", "stbl", "stsz", start=box.start, end=box.end)
            if sizes:
                most = max(most, int.from_bytes(data[sizes.start + 8 : sizes.start + 12], "big"))
    return most
