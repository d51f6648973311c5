"""Copies of files that a decoder would not accept as they are, or not understand."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from media_jobs.pipeline.formats import jpeg_frame, riff
from media_jobs.pipeline.formats.common import Damaged, mapped

_END_OF_JPEG = b"\xff\xd9"
_PICTURES = {b"VP8 ", b"VP8L", b"ANMF"}


def overwrite(source: Path, target: Path, places: Iterable[tuple[int, bytes]]) -> None:
    """Copy `source`, with other bytes at some places."""
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        for at, data in places:
            file.seek(at)
            file.write(data)


def close_jpeg(source: Path, target: Path) -> bool:
    """Copy `source`, which breaks off, and end it as it should. False, and no copy, where a scan is missing.

    The decoder decides whether the last scan is whole.
    """
    with mapped(source) as data:
        if not jpeg_frame.has_all_scans(data):
            return False
    shutil.copyfile(source, target)
    with target.open("ab") as file:
        file.write(_END_OF_JPEG)
    return True


def is_cut_webp(path: Path) -> bool:
    """Whether a WebP says that it is longer than it is."""
    with path.open("rb") as file:
        return riff.end(file.read(12)) > path.stat().st_size


def close_webp(source: Path, target: Path) -> bool:
    """Copy the whole chunks of `source`, which breaks off. False, and no copy, where none of them is a picture.

    Nor where EXIF, which stands behind the pixels, is missing: it says which way up they are.
    """
    with mapped(source) as data:
        whole, kinds, flags = 0, set[bytes](), 0
        with suppress(Damaged):  # at the chunk in which it breaks off
            for chunk in riff.chunks(data):
                whole = chunk.end
                kinds.add(chunk.kind)
                if chunk.kind == b"VP8X":
                    flags = data[chunk.start]
        if not kinds & _PICTURES or (flags & riff.EXIF and b"EXIF" not in kinds):
            return False
        body = bytes(data[8:whole]) + b"\0" * (whole % 2)
    target.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    return True
