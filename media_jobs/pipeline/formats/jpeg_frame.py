"""How a JPEG is coded, and whether all of its scans are there. Stdlib only."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile

from media_jobs import errors
from media_jobs.pipeline.formats import jpeg
from media_jobs.pipeline.formats.common import Bytes, Damaged

_PROGRESSIVE = frozenset({0xC2, 0xCA})
_ARITHMETIC = frozenset({0xC9, 0xCA})
_NOT_READ = {
    0xC5: "a hierarchical JPEG",
    0xC6: "a hierarchical JPEG",
    0xC7: "a lossless hierarchical JPEG",
    0xCB: "an arithmetic-coded lossless JPEG",
    0xCD: "a hierarchical JPEG",
    0xCE: "a hierarchical JPEG",
    0xCF: "a lossless hierarchical JPEG",
    0xF7: "a JPEG-LS picture",
}
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, *_NOT_READ})
_FRAME_BYTES = 6  #: of bits, height, width and number of components
_LAST_COEFFICIENT = 63


def refuse_rare(data: Bytes) -> None:
    """Raises UnsupportedFormat for the kinds of JPEG that hardly any program reads, by their first frame."""
    if frame := _frame(data):
        if frame.marker in _NOT_READ:
            raise errors.UnsupportedFormat(_NOT_READ[frame.marker])
        if (bits := data[frame.start]) != 8:
            raise errors.UnsupportedFormat(f"a JPEG with {bits} bits a sample")


def size_px(data: Bytes) -> tuple[int, int]:
    """Width and height as stored; zeros where there is no frame."""
    frame = _frame(data)
    height, width = struct.unpack_from(">HH", data, frame.start + 1) if frame else (0, 0)
    return width, height


def has_all_scans(data: Bytes) -> bool:
    """Whether every component comes with all its coefficients at full precision; of the last scan, its header.

    False for an arithmetic-coded one: where its data end, decoders go on with zeros, as they ought to.
    """
    missing: set[tuple[int, int]] | None = None
    progressive = False
    for segment in _segments(data):
        content = bytes(data[segment.start : segment.end])
        if segment.marker in _ARITHMETIC:
            return False
        if segment.marker in _FRAMES and len(content) > 5:
            progressive = segment.marker in _PROGRESSIVE
            components = content[6 : 6 + 3 * content[5] : 3]
            missing = {
                (part, band) for part in components for band in ((0, _LAST_COEFFICIENT) if progressive else (0,))
            }
        if segment.marker == jpeg.SOS and missing is not None and content:
            spectral = 1 + 2 * content[0]
            first, last, precision = (*content[spectral : spectral + 3], 0, 0, 0)[:3]
            if not (progressive and precision & 15):  # else a later scan refines it
                missing -= {(part, band) for part in content[1:spectral:2] for band in (first, last)}
    return missing is not None and not missing


def head(data: Bytes) -> Iterator[jpeg.Segment]:
    """Every segment before the first scan, up to the first damage."""
    return takewhile(lambda segment: segment.marker != jpeg.SOS, _segments(data))


def _frame(data: Bytes) -> jpeg.Segment | None:
    """The first one, whole enough to tell its size."""
    frame = next((segment for segment in head(data) if segment.marker in _FRAMES), None)
    return frame if frame and frame.end - frame.start >= _FRAME_BYTES else None


def _segments(data: Bytes) -> Iterator[jpeg.Segment]:
    """All segments up to the first damage."""
    with suppress(Damaged):
        yield from jpeg.segments(data)
