"""Why a decoder gave up, judged by its error message and by the end of the file."""

import errno
import mmap
import os
from pathlib import Path

from media_jobs import errors
from media_jobs.pipeline.formats import heif, tiff
from media_jobs.pipeline.formats.common import Bytes, Damaged, mapped

_CUT_SHORT = ("premature end of JPEG", "Unexpected end of GIF", "unexpected end", "Seek error accessing TIFF directory")
#: In the words of libvips, GLib, libheif, libpng, numpy, C++, Python and the system; a thread needs memory, too.
_NO_MEMORY = (
    "out of memory",
    "unable to allocate",
    "failed to allocate",
    "cannot allocate",
    "sufficient memory",
    "memory allocation",
    "memoryerror",
    "bad_alloc",
    "resource temporarily unavailable",
    "failed to map segment",
)

#: Messages that stand for damaged bytes and for lack of memory alike.
_GAVE_UP = {
    "webp": "unable to read pixels",
    "avif": "unexpected C++ exception",
    "heic": "Decoder plugin generated an error: Unspecified",
}
_UNPACKED_BYTES = 8  # for each pixel, of what is decoded and what is made of it


def lacks_memory(said: str) -> bool:
    """Whether a library's error message, or the last words of a process, complain of memory that it did not get."""
    return any(words in said.lower() for words in _NO_MEMORY)


def lacks_room(said: str) -> bool:
    """Whether a library's error message complains of a full disk."""
    return os.strerror(errno.ENOSPC) in said or os.strerror(errno.EDQUOT) in said


def refusal(path: Path, format: str, said: str, *, memory_bytes: int, pixels: int = 0) -> errors.MediaError:
    """The decoder's error message `said` as one of WorkspaceFull, TooMuchMemory, Truncated and Undecodable.

    pixels: how many it was about to unpack.
    """
    if lacks_room(said):
        return errors.WorkspaceFull()
    gave_up = format in _GAVE_UP and _GAVE_UP[format] in said
    if lacks_memory(said) or (gave_up and not _is_there_memory(_UNPACKED_BYTES * pixels)):
        return errors.TooMuchMemory(needed_bytes=memory_bytes + 1, limit_bytes=memory_bytes)
    if any(words in said for words in _CUT_SHORT) or _breaks_off(path, format):
        return errors.Truncated()
    return errors.Undecodable()


def _is_there_memory(size_bytes: int) -> bool:
    """Whether so much can be had, all at once."""
    try:
        mmap.mmap(-1, max(1, size_bytes)).close()
    except OSError:
        return False
    return True


def _breaks_off(path: Path, format: str) -> bool:
    """Whether the file lacks the end that its format promises."""
    with mapped(path) as data:
        if format == "png":
            return b"IEND" not in data[-64:]
        if format == "gif":
            return b"\x3b" not in data[-4:]
        if format == "tiff":
            return _tiff_breaks_off(data)
        return format in ("avif", "heic") and heif.breaks_off(data)


def _tiff_breaks_off(data: Bytes) -> bool:
    """Whether a page, or a piece of the first one, lies beyond the end of the file."""
    try:
        structure = tiff.Tiff.parse(data)
        if any(directory.reach() > len(data) for directory in structure.directories()):
            return True
        tags = structure.first_tags()
    except Damaged:
        return False
    return any(end > len(data) for _, end in tiff.pieces(tags))
