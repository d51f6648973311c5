"""The preview that LibRaw finds in a raw file, for files whose tables name none that is large enough.

rawpy brings numpy along, so it is imported when the first such file comes, and only in the sandboxed child.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_jobs import errors
from media_jobs.pipeline.formats.common import mapped

#: LibRaw's flip → EXIF's orientation. Its bits: 4 transpose, then 2 upside down, 1 mirrored.
_ORIENTATIONS = {0: 1, 1: 2, 3: 3, 2: 4, 4: 5, 6: 6, 7: 7, 5: 8}
#: A preview is looked for by so many of its bytes, at most at so many places where they are found.
_MARK_BYTES, _MAX_HITS = 64, 16


@dataclass(frozen=True, slots=True)
class Extracted:
    """A JPEG, perhaps with an EXIF block that LibRaw put before it. orientation, raw_px: as LibRaw sees the file."""

    jpeg: bytes
    orientation: int
    raw_px: tuple[int, int]


def extract(path: Path) -> Extracted | None:
    """What LibRaw takes for the largest preview, if it is a JPEG. Raises Truncated, Undecodable, MemoryError.

    Bitmaps do not count: cameras store thumbnails of 160 pixels that way. The raw data itself is never unpacked.
    """
    import rawpy  # noqa: PLC0415  (15 MB that only few raw files need)

    try:
        with rawpy.imread(str(path)) as raw:
            sizes = raw.sizes
            jpeg = _thumb(raw)
    except rawpy.LibRawUnsufficientMemoryError as error:
        raise MemoryError from error
    except rawpy.LibRawIOError as error:
        raise errors.Truncated from error
    except rawpy.LibRawError as error:
        raise errors.Undecodable from error
    if jpeg is None:
        return None
    if not _lies_in(path, jpeg):
        raise errors.Truncated
    return Extracted(jpeg, _ORIENTATIONS.get(sizes.flip, 1), (sizes.width, sizes.height))


def _thumb(raw: Any) -> bytes | None:
    """Raises rawpy.LibRawError for a damaged file."""
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
