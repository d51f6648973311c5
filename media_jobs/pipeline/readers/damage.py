"""Why a decoder gave up, judged by its error message and by the end of the file."""

import errno
import mmap
import os
import re
from pathlib import Path

from media_jobs import errors
from media_jobs.pipeline.formats import heif
from media_jobs.pipeline.formats.common import Bytes, mapped
from media_jobs.pipeline.formats.pixels import tiff_page

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
#: What libheif says, as if of memory, where a picture is beyond limits of its own.
_BEYOND_LIMITS = "security limit exceeded"

#: Messages that stand for damaged bytes and for lack of memory alike.
_GAVE_UP = {
    "webp": "unable to read pixels",
    "avif": "unexpected C++ exception",
    "heic": "Decoder plugin generated an error: Unspecified",
}
_STRAY = re.compile(r"(\d+) extraneous bytes before marker")
_MOST_STRAY_BYTES = 18
_UNPACKED_BYTES = 8  # for each pixel, of what is decoded and what is made of it


def is_stray(said: str) -> bool:
    """Whether a JPEG decoder complains of a few bytes too many only: toy cameras leave some before each marker.

    What lost sectors leave is more, since the decoder then finds other lengths than were written.
    """
    lines = [line for line in said.splitlines() if "JPEG" in line]
    strays = [stray for line in lines if (stray := _STRAY.search(line))]
    return len(strays) == len(lines) > 0 and all(int(stray[1]) <= _MOST_STRAY_BYTES for stray in strays)


def lacks_memory(said: str) -> bool:
    """Whether a library's error message, or the last words of a process, complain of memory that it did not get."""
    return any(
        words in line for line in said.lower().splitlines() for words in _NO_MEMORY if _BEYOND_LIMITS not in line
    )


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
    if _BEYOND_LIMITS in said.lower():
        return errors.Undecodable()
    if any(words in said for words in _CUT_SHORT) or _breaks_off(path, format):
        return errors.Truncated()
    return errors.Undecodable()


def _is_there_memory(size_bytes: int) -> bool:
    """Whether so much can be had, all at once. Private, as what is shared does not count for RLIMIT_DATA."""
    try:
        mmap.mmap(-1, max(1, size_bytes), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
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
    """Whether the page that is the picture, or a piece of it, lies beyond the end of the file."""
    try:
        return not tiff_page.find(data).is_complete(data)
    except errors.Truncated:
        return True
    except errors.Undecodable:
        return False
