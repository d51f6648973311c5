"""GIF through libvips."""

from pathlib import Path

import pyvips

from media_jobs.pipeline.formats import gif
from media_jobs.pipeline.formats.common import mapped
from media_jobs.pipeline.readers import vips


def load(path: Path) -> pyvips.Image:
    """The first frame. Where it does not cover the screen, that is transparent; libvips leaves it black."""
    image = vips.load("gif", str(path), fail_on="error")
    with mapped(path) as data:
        place = gif.first_place(data)
    if place is None:
        return image
    left, top, width, height = place
    if not width or not height:
        return image
    if left == 0 and top == 0 and left + width >= image.width and top + height >= image.height:
        return image
    covered = pyvips.Image.black(width, height).linear(0, 255, uchar=True)
    mask = pyvips.Image.black(image.width, image.height).insert(covered, left, top)
    if not image.hasalpha():
        return image.bandjoin(mask)
    colours = image.bands - 1
    return image.extract_band(0, n=colours).bandjoin(image.extract_band(colours) & mask)
