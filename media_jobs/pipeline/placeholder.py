"""Makes what a page can show before the picture is there."""

import base64
from collections import defaultdict
from math import ceil
from operator import mul

import pyvips

from media_jobs.pipeline.values import Placeholder

_SIDE_PX = 16
_QUALITY = 50
#: Levels of red, green or blue → one of eight buckets.
_BUCKETS = bytes(level // 32 for level in range(256))
_WHITE = "#ffffff"


def placeholder(image: pyvips.Image) -> Placeholder:
    """The placeholder of a whole picture in 8-bit sRGB or grey; the smaller that is, the faster."""
    small = _within(image, 2 * _SIDE_PX)
    if small.interpretation != "srgb":
        small = small.colourspace("srgb")
    small = small.copy_memory()
    tiny = _within(small, _SIDE_PX).webpsave_buffer(Q=_QUALITY, keep="none")
    return Placeholder("data:image/webp;base64," + base64.b64encode(tiny).decode(), _dominant(small))


def _within(image: pyvips.Image, side_px: int) -> pyvips.Image:
    """Shrink by plain averages of square blocks: a sharper filter makes no visible difference at this size."""
    factor = ceil(max(image.width, image.height) / side_px)
    if not image.hasalpha():
        return image.shrink(factor, factor, ceil=True)
    return image.premultiply().shrink(factor, factor, ceil=True).unpremultiply().cast(image.format)


def _dominant(image: pyvips.Image) -> str:
    """The mean of the fullest of 512 buckets of colour, as `#rrggbb`. Alpha is a pixel's weight.

    image: in sRGB, of a thousand pixels at most.
    """
    samples = bytes(image.write_to_memory())
    bands = [samples[band :: image.bands] for band in range(image.bands)]
    buckets = list(zip(*(band.translate(_BUCKETS) for band in bands[:3]), strict=True))
    weights = bands[3] if image.hasalpha() else b"\1" * len(buckets)
    filled: dict[tuple[int, ...], int] = defaultdict(int)
    for bucket, weight in zip(buckets, weights, strict=True):
        filled[bucket] += weight
    fullest = max(filled, key=filled.__getitem__)
    total = filled[fullest]
    if not total:
        return _WHITE
    share = [weight if bucket == fullest else 0 for bucket, weight in zip(buckets, weights, strict=True)]
    return "#" + "".join(f"{round(sum(map(mul, band, share)) / total):02x}" for band in bands[:3])
