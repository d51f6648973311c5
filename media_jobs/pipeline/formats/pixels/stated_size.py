"""How large a picture says it is, as far as its first bytes tell. Stdlib only: the web process asks."""

import struct
from contextlib import suppress

from media_jobs.errors import ImageRefused
from media_jobs.pipeline.formats import bmp, jpeg_frame, riff
from media_jobs.pipeline.formats.common import Damaged


def stated_size_px(format: str, head: bytes) -> tuple[int, int] | None:
    """Width and height as stored; None where `head`, the first bytes, does not tell. Whatever it says, the job knows.

    Of formats that keep it anywhere in the file (TIFF, HEIF, raw) nothing is read.
    """
    with suppress(Damaged, ImageRefused, struct.error):
        if format == "png":
            return struct.unpack_from(">II", head, 16)
        if format == "gif":
            return struct.unpack_from("<HH", head, 6)
        if format == "bmp":
            header = bmp.header(head)
            return header.width_px, header.height_px
        if format == "webp":
            chunk = riff.Chunk(head[12:16], 20, len(head))
            return riff.canvas(head, chunk)[:2]
        if format == "jpeg":
            size = jpeg_frame.size_px(head)
            return size if all(size) else None
    return None
