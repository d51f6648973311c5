"""One encoder call per format: the pixels, the rights, and nothing else."""

import pyvips

from media_jobs.pipeline.recipes import Format, Rendition
from media_jobs.pipeline.values import Rights

#: Progressive JPEG is 5 % smaller and shows early, but for the largest renditions costs a third of the render's time.
_PROGRESSIVE_UP_TO_PIXELS = 1_100_000
#: Past 2 an encoder of WebP takes twice as long for 2 % fewer bytes.
_WEBP_EFFORT = 2
_WHITE = 255


def encode(image: pyvips.Image, rendition: Rendition, format: Format, rights: Rights) -> bytes:
    """`format` is the resolved one."""
    if format is Format.WEBP:
        return bytes(image.webpsave_buffer(Q=rendition.quality, effort=_WEBP_EFFORT, keep="none"))
    opaque = image.flatten(background=_WHITE) if image.hasalpha() else image
    progressive = image.width * image.height <= _PROGRESSIVE_UP_TO_PIXELS
    return bytes(opaque.jpegsave_buffer(Q=rendition.quality, interlace=progressive, keep="none"))
