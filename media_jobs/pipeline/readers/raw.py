"""The preview that a camera put into its raw file, through LibRaw. The raw data itself is never unpacked.

rawpy brings numpy along, so it is imported when the first raw file comes, and only in the sandboxed child.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_jobs import errors
from media_jobs.pipeline.formats import tiff

#: LibRaw's flip → EXIF's orientation. Its bits: 4 transpose, then 2 upside down, 1 mirrored.
_ORIENTATIONS = {0: 1, 1: 2, 3: 3, 2: 4, 4: 5, 6: 6, 7: 7, 5: 8}
_SIDEWAYS = 5
_ORIENTATION_TAG = 0x0112
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 but for tables
_EXIF, _SCAN = 0xE1, 0xDA
#: A preview is looked for by so many of its bytes, at most at so many places where they are found.
_MARK_BYTES, _MAX_HITS = 64, 16


@dataclass(frozen=True, slots=True)
class Preview:
    """A JPEG, and the turn (EXIF, 1 to 8) that its pixels still need.

    The JPEG may have an EXIF block of the camera's, or one that LibRaw put before it. The orientation in there is
    accounted for already: whoever obeys it as well turns the picture twice.
    """

    jpeg: bytes
    orientation: int


def preview(path: Path) -> Preview:
    """The largest JPEG preview in the raw file. Raises RawWithoutPreview, Truncated, Undecodable.

    Bitmaps do not count: cameras store thumbnails of 160 pixels that way.
    """
    import rawpy  # noqa: PLC0415  (15 MB that only raw files need)

    try:
        with rawpy.imread(str(path)) as raw:
            sizes = raw.sizes
            found = _extract(raw)
    except rawpy.LibRawIOError as error:
        raise errors.Truncated from error
    except rawpy.LibRawError as error:
        raise errors.Undecodable from error
    if found is None:
        raise errors.RawWithoutPreview
    if not _lies_in(path, found):
        raise errors.Truncated
    return Preview(found, _turn(path, found, sizes.flip, (sizes.width, sizes.height)))


def _extract(raw: Any) -> bytes | None:
    """What LibRaw takes for the largest preview, if it is a JPEG. Raises rawpy.LibRawError for a damaged file."""
    import rawpy  # noqa: PLC0415  (as above)

    try:
        thumb = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError, NotImplementedError):
        return None
    return bytes(thumb.data) if thumb.format is rawpy.ThumbFormat.JPEG else None


def _lies_in(path: Path, jpeg: bytes) -> bool:
    """Whether the file holds the whole preview.

    LibRaw reads up to 16 KB behind a file's end and leaves there what the memory held: perhaps the preview before.
    """
    body = jpeg[4 + int.from_bytes(jpeg[4:6], "big") :]  # the first segment may be LibRaw's own
    mark = body[:_MARK_BYTES]
    with tiff.mapped(path) as data:
        at = data.find(mark) if len(mark) == _MARK_BYTES else -1
        for _ in range(_MAX_HITS):
            if at < 0 or data[at : at + len(body)] == body:
                return at >= 0
            at = data.find(mark, at + 1)
    return False


def _turn(path: Path, jpeg: bytes, flip: int, raw_px: tuple[int, int]) -> int:
    """The raw file's own tag counts, for cameras store previews as they store raw data, unturned.

    Where it has none, the preview's counts. A preview that lies across the raw data has been turned already.
    """
    orientation = _ORIENTATIONS.get(flip, 1)
    if orientation == 1 and not _is_tagged(path):
        return _own_orientation(jpeg)
    (width, height), (raw_width, raw_height) = _size_px(jpeg), raw_px
    turned = (width - height) * (raw_width - raw_height) < 0
    return 1 if turned and orientation >= _SIDEWAYS else orientation


def _is_tagged(path: Path) -> bool:
    with tiff.mapped(path) as data:
        try:
            structure = tiff.Tiff.parse(data)
            return _ORIENTATION_TAG in structure.directory(structure.first)
        except tiff.Damaged:
            return True  # CR3 and RAF are no TIFF; LibRaw found their tag or there is none


def _own_orientation(jpeg: bytes) -> int:
    for marker, payload in _segments(jpeg):
        if marker == _EXIF and payload.startswith(b"Exif\0\0"):
            try:
                structure = tiff.Tiff.parse(payload[6:])
                value = tiff.number(structure.directory(structure.first), _ORIENTATION_TAG, 1)
            except tiff.Damaged:
                continue
            if 1 <= value <= 8:
                return value
    return 1


def _size_px(jpeg: bytes) -> tuple[int, int]:
    """Width and height as stored; zeros where there is no frame."""
    for marker, payload in _segments(jpeg):
        if marker in _FRAMES:
            return int.from_bytes(payload[3:5], "big"), int.from_bytes(payload[1:3], "big")
    return 0, 0


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and payload of every segment before the first scan."""
    at = 2
    while jpeg[at : at + 1] == b"\xff" and at + 4 <= len(jpeg):
        marker, size = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == _SCAN or size < 2:
            return
        yield marker, jpeg[at + 4 : at + 2 + size]
        at += 2 + size
