"""How a JPEG is coded, and whether all of its scans are there. Stdlib only."""

from collections.abc import Iterator

from media_jobs import errors
from media_jobs.pipeline.formats import jpeg
from media_jobs.pipeline.formats.tiff import Bytes

_PROGRESSIVE = frozenset({0xC2, 0xCA})
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
_LAST_COEFFICIENT = 63


def refuse_rare(data: Bytes) -> None:
    """Raises UnsupportedFormat for the kinds of JPEG that hardly any program reads, told by their first frame."""
    for segment in _segments(data):
        if segment.marker in _NOT_READ:
            raise errors.UnsupportedFormat(_NOT_READ[segment.marker])
        if segment.marker in _FRAMES:
            if (bits := data[segment.start]) != 8:
                raise errors.UnsupportedFormat(f"a JPEG with {bits} bits a sample")
            return
        if segment.marker == jpeg.SOS:
            return


def has_all_scans(data: Bytes) -> bool:
    """Whether every component comes with all its coefficients at full precision; of the last scan, its header."""
    missing: set[tuple[int, int]] | None = None
    progressive = False
    for segment in _segments(data):
        content = bytes(data[segment.start : segment.end])
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


def _segments(data: Bytes) -> Iterator[jpeg.Segment]:
    """As far as they go."""
    try:
        yield from jpeg.segments(data)
    except jpeg.Damaged:
        return
