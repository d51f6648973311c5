"""Finds where a file has its coded pixels: damage in there passes every look at headers and meets the decoders."""

import re
from collections.abc import Iterator
from contextlib import suppress

from media_jobs.pipeline.formats import gif, heif_items, jpeg, png, riff, tiff
from media_jobs.pipeline.formats.common import Damaged

Span = tuple[int, int]

_CODED_ITEMS = frozenset({"av01", "hvc1"})
_WEBP_PICTURES = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_FRAME_HEADER_BYTES = 16


def payloads(data: bytes) -> list[Span]:
    """Start and end of each piece; none where none is recognised."""
    found: list[Span] = []
    with suppress(Damaged):
        found.extend(_payloads(data))
    return [(start, min(end, len(data))) for start, end in found if 0 <= start < min(end, len(data))]


def _payloads(data: bytes) -> Iterator[Span]:
    if data.startswith(png.SIGNATURE):
        # The data of an animation's later frames have a number before them.
        chunks = ((chunk, 4 * (chunk.kind == b"fdAT")) for chunk in png.chunks(data))
        yield from ((chunk.start + skip, chunk.end) for chunk, skip in chunks if chunk.kind in (b"IDAT", b"fdAT"))
    elif data.startswith(b"RIFF"):
        yield from _webp(data)
    elif data.startswith(b"GIF8"):
        yield from gif.pictures(data)
    elif data.startswith(b"BM"):
        yield int.from_bytes(data[10:14], "little"), len(data)
    elif data[4:8] == b"ftyp" and data[8:12] != b"crx ":
        coded = (item for item in heif_items.meta(data).items.values() if item.kind in _CODED_ITEMS)
        yield from (extent for item in coded for extent in item.extents)
    else:
        yield from _jpegs(data)
        for directory in tiff.Tiff.parse(data).directories():
            yield from tiff.pieces(directory.tags())


def _jpegs(data: bytes) -> Iterator[Span]:
    """The file itself, or the previews of a raw file."""
    for start in re.finditer(rb"\xff\xd8\xff", data):
        scan = 0
        with suppress(Damaged):
            for segment in jpeg.segments(data, start.start()):
                if scan:
                    yield scan, segment.at
                scan = segment.end if segment.marker == jpeg.SOS else 0


def _webp(data: bytes) -> Iterator[Span]:
    for chunk in riff.chunks(data):
        if chunk.kind in _WEBP_PICTURES:
            yield chunk.start, chunk.end
        elif chunk.kind == b"ANMF":
            yield chunk.start + _FRAME_HEADER_BYTES + 8, chunk.end
