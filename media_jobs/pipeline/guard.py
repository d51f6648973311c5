"""Decides from its header whether a picture costs too much, before a pixel is decoded."""

from media_jobs import errors
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.values import Limits

#: Address space of the decoder before it has seen a picture, and its encoders and buffers of fixed size.
BASE_BYTES = 96 * 1_048_576
#: Of what is asked for beyond that, so much at least is never touched, as stacks of threads are. Measured 18 to 110 MB.
_UNTOUCHED_BYTES = 16 * 1_048_576
#: Lines that the decoder and the first shrink hold between them.
_LINES = 512
#: Where there is alpha, shrinking reckons in floats, and holds the more lines of them the more it shrinks. Measured for
#: each time that a PNG gets smaller: 80 lines at twice, 227 at five times.
_FLOAT_LINES = 300
_FLOAT_BYTES = 4
#: Copies of the largest rendition that exist at once: shrunk, in colour, upright, handed to an encoder.
_COPIES = 4
#: Up to so many, a picture may be as flat as it likes: it cannot do harm.
_PLAUSIBLE_PIXELS = 16_000_000


def guard(found: Found, limits: Limits, *, largest_px: tuple[int, int], encoder_bytes: int = 0) -> None:
    """Raise TooManyPixels, ImplausibleRatio, TooMuchMemory or NeedsRoom where the picture passes a limit.

    largest_px: width and height of the largest rendition. encoder_bytes: the most that one encoder holds
    beyond its picture.
    The file's size and its frames were counted before its header was opened: see `probe`.
    """
    if found.pixels > limits.pixels:
        raise errors.TooManyPixels(pixels=found.pixels, limit=limits.pixels, frames=found.frames)
    ratio = found.pixels * found.pixel_bytes // found.size_bytes
    if found.pixels > _PLAUSIBLE_PIXELS and ratio > limits.ratio:
        raise errors.ImplausibleRatio(ratio=ratio, limit=limits.ratio)
    needed = estimated_bytes(found, largest_px) + encoder_bytes
    if needed > limits.memory_bytes:
        raise errors.TooMuchMemory(needed_bytes=needed, limit_bytes=limits.memory_bytes)
    grown = max(0, needed - BASE_BYTES - _UNTOUCHED_BYTES - found.size_bytes)  # the file is mapped, and gives way
    if limits.room_bytes is not None and grown > limits.room_bytes:
        raise errors.NeedsRoom(grown)


def estimated_bytes(found: Found, largest_px: tuple[int, int]) -> int:
    """Address space that rendering will take at its peak; rather too much than too little."""
    buffered = _buffered_bytes(found, largest_px)
    lines = found.width_px * found.pixel_bytes * _LINES
    if found.transparent:
        across = found.width_px / largest_px[0]
        lines += found.width_px * found.pixel_bytes * _FLOAT_BYTES * min(found.height_px, round(_FLOAT_LINES * across))
    renditions = largest_px[0] * largest_px[1] * found.pixel_bytes * _COPIES
    frames = found.pages * 256 if found.coded_as == "gif" else 0
    return BASE_BYTES + found.size_bytes + buffered + lines + renditions + frames


def _buffered_bytes(found: Found, largest_px: tuple[int, int]) -> int:
    """What the decoder holds at once, beyond a few lines."""
    if found.coded_as == "webp" and found.pages == 1:
        # Lossless ones are unpacked whole, four bytes a pixel; the rest happens at the size of shrink-on-load.
        loaded = min(found.pixels, 4 * largest_px[0] * largest_px[1])
        return 4 * found.pixels + 5 * loaded * found.pixel_bytes
    return found.buffered_pixels * found.pixel_bytes
