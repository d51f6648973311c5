"""What a page can show before the picture is there."""

import base64

import pyvips

from media_jobs.pipeline.values import Placeholder

_SIDE_PX = 16


def placeholder(image: pyvips.Image) -> Placeholder:
    """Of the smallest image of a cascade."""
    tiny = image.thumbnail_image(_SIDE_PX).copy_memory()
    data = tiny.webpsave_buffer(Q=50, keep="none")
    average = tiny.colourspace("srgb").stats()
    colour = "#" + "".join(f"{round(average.getpoint(4, band + 1)[0]):02x}" for band in range(3))
    return Placeholder("data:image/webp;base64," + base64.b64encode(data).decode(), colour)
