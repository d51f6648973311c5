"""Why a decoder gave up, told by its words and by the end of the file."""

from pathlib import Path

from media_jobs import errors
from media_jobs.pipeline.formats import heif, tiff

_CUT_SHORT = ("premature end of JPEG", "Unexpected end of GIF", "unexpected end", "Seek error accessing TIFF directory")
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
    """Whether a page, or a piece of the first one, lies beyond the end of the file."""
    try:
        structure = tiff.Tiff.parse(data)
        if any(directory.reach() > len(data) for directory in structure.directories()):
            return True
        tags = structure.first_tags()
    except tiff.Damaged:
        return False
    return any(end > len(data) for _, end in tiff.pieces(tags))
