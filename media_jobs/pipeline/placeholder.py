"""What a page can show before the picture is there."""

import base64
from collections import defaultdict
from math import ceil

import pyvips

from media_jobs.pipeline.values import Placeholder

_SIDE_PX = 16
_QUALITY = 50
#: Levels of red, green or blue that count as one colour.
_BUCKET = 32
_WHITE = "#ffffff"


def placeholder(image: pyvips.Image) -> Placeholder:
    """Of the whole picture, in 8-bit sRGB or grey; the smaller, the faster."""
    small = _within(image, 2 * _SIDE_PX).colourspace("srgb").copy_memory()
    tiny = _within(small, _SIDE_PX).webpsave_buffer(Q=_QUALITY, keep="none")
    return Placeholder("data:image/webp;base64," + base64.b64encode(tiny).decode(), _dominant(small))


def _within(image: pyvips.Image, side_px: int) -> pyvips.Image:
    """Plain averages of square blocks: no sharper filter is to be seen at this size."""
    factor = ceil(max(image.width, image.height) / side_px)
    if not image.hasalpha():
        return image.shrink(factor, factor, ceil=True)
    return image.premultiply().shrink(factor, factor, ceil=True).unpremultiply().cast(image.format)


def _dominant(image: pyvips.Image) -> str:
    """The mean of the fullest of 512 buckets of colour, as `#rrggbb`. Alpha is a pixel's weight.

    image: in sRGB, of a thousand pixels at most.
    """
    samples = iter(bytes((image if image.hasalpha() else image.addalpha()).write_to_memory()))
    buckets = defaultdict(list)
    for red, green, blue, alpha in zip(samples, samples, samples, samples, strict=True):
        buckets[red // _BUCKET, green // _BUCKET, blue // _BUCKET].append((red, green, blue, alpha))
    fullest = max(buckets.values(), key=_weight)
    weight = _weight(fullest)
    if not weight:
        return _WHITE
    return "#" + "".join(f"{round(sum(p[band] * p[3] for p in fullest) / weight):02x}" for band in range(3))


def _weight(pixels: list[tuple[int, int, int, int]]) -> int:
    return sum(alpha for *_, alpha in pixels)
