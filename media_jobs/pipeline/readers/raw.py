"""The preview that a camera put into its raw file, through LibRaw. The raw data itself is never unpacked.

rawpy brings numpy along, so it is imported when the first raw file comes, and only in the sandboxed child.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_jobs import errors
from media_jobs.pipeline.formats import jpeg_frame, tiff
from media_jobs.pipeline.formats.common import Damaged, mapped
from media_jobs.pipeline.formats.jpeg import APP1

#: LibRaw's flip → EXIF's orientation. Its bits: 4 transpose, then 2 upside down, 1 mirrored.
_ORIENTATIONS = {0: 1, 1: 2, 3: 3, 2: 4, 4: 5, 6: 6, 7: 7, 5: 8}
_SIDEWAYS = 5
_ORIENTATION_TAG = 0x0112
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
    """The largest JPEG preview in the raw file. Raises RawWithoutPreview, Truncated, Undecodable, MemoryError.

    Bitmaps do not count: cameras store thumbnails of 160 pixels that way.
    """
    import rawpy  # noqa: PLC0415  (15 MB that only raw files need)

    try:
        with rawpy.imread(str(path)) as raw:
            sizes = raw.sizes
            found = _extract(raw)
    except rawpy.LibRawUnsufficientMemoryError as error:
        raise MemoryError from error
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

    LibRaw reads up to 16 KB behind a file's end and leaves there what was in the memory: perhaps the preview before.
    """
    body = jpeg[4 + int.from_bytes(jpeg[4:6], "big") :]  # the first segment may be LibRaw's own
    mark = body[:_MARK_BYTES]
    with mapped(path) as data:
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
    (width, height), (raw_width, raw_height) = jpeg_frame.size_px(jpeg), raw_px
    turned = (width - height) * (raw_width - raw_height) < 0
    return 1 if turned and orientation >= _SIDEWAYS else orientation


def _is_tagged(path: Path) -> bool:
    with mapped(path) as data:
        try:
            return _ORIENTATION_TAG in tiff.Tiff.parse(data).first_tags()
        except Damaged:
            return True  # CR3 and RAF are no TIFF; LibRaw found their tag or there is none


def _own_orientation(jpeg: bytes) -> int:
    exif = (jpeg[segment.start : segment.end] for segment in jpeg_frame.head(jpeg) if segment.marker == APP1)
    values = (tiff.orientation(block) for block in exif if block.startswith(tiff.EXIF_MARK))
    return next((value for value in values if value), 1)
