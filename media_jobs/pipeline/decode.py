"""One way in for every format: the first frame, whole and undamaged, at about the size that is wanted."""

from typing import Any

import pyvips

from media_jobs.pipeline.colour import to_srgb
from media_jobs.pipeline.damage import refusal
from media_jobs.pipeline.probe import Found
from media_jobs.pipeline.readers import vips
from media_jobs.pipeline.values import Limits

#: What libjpeg warns of although every pixel is there.
_HARMLESS = (
    "extraneous bytes",
    "Adobe color transform",
    "JFIF major revision",
    "progression sequence",
    "SOS parameters",
)


def decode(found: Found, size_px: tuple[int, int], limits: Limits) -> pyvips.Image:
    """The picture in memory, upright, in 8-bit sRGB or grey, `size_px` wide and high as displayed.

    Raises Truncated, Undecodable, TooMuchMemory.
    """
    stored_px = size_px[::-1] if found.sideways else size_px
    try:
        return to_srgb(_read(found, stored_px)).autorot().copy_memory()
    except pyvips.Error as error:
        raise refusal(found.path, found.format, str(error), memory_bytes=limits.memory_bytes) from error


def shrink(image: pyvips.Image, size_px: tuple[int, int]) -> pyvips.Image:
    """Scale to exactly `size_px`. Colours of transparent pixels do not bleed into their neighbours."""
    width, height = size_px
    if (image.width, image.height) == size_px:
        return image
    across, down = width / image.width, height / image.height
    if not image.hasalpha():
        return image.resize(across, vscale=down)
    return image.premultiply().resize(across, vscale=down).unpremultiply().cast(image.format)


def _read(found: Found, size_px: tuple[int, int]) -> pyvips.Image:
    """Decode everything once, shrinking on the way. Damage is an error, never a grey area."""
    # JPEG decoders report damage as a warning like any other; so the first one decides.
    strictest = "warning" if found.format == "jpeg" else "error"
    path, options = str(found.path), _shrink_on_load(found, size_px)
    try:
        return shrink(vips.load(found.format, path, fail_on=strictest, **options), size_px).copy_memory()
    except pyvips.Error as error:
        if not any(words in str(error) for words in _HARMLESS):
            raise
    return shrink(vips.load(found.format, path, fail_on="error", **options), size_px).copy_memory()


def _shrink_on_load(found: Found, size_px: tuple[int, int]) -> dict[str, Any]:
    """Let the decoder do the coarse part, but leave a factor of two to the better filter."""
    spare = min(found.width_px / size_px[0], found.height_px / size_px[1]) / 2
    if found.format == "jpeg":
        return {"shrink": next(factor for factor in (8, 4, 2, 1) if spare >= factor or factor == 1)}
    if found.format == "webp" and spare > 1 and found.pages == 1:
        return {"scale": 1 / spare}
    return {}
