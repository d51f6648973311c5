"""BMP through Pillow, which the libvips wheel cannot read."""

from pathlib import Path

import pyvips

from media_jobs import errors

_MODES = {"1": "L", "P": "RGB"}
_INTERPRETATIONS = {1: "b-w", 3: "srgb", 4: "srgb"}


def load(path: Path) -> pyvips.Image:
    """The picture in memory. Raises Undecodable, MemoryError. How large it may be was decided from its header."""
    # The plugin itself, because `Image.open` has limits of its own and loads five more plugins.
    from PIL.BmpImagePlugin import BmpImageFile  # noqa: PLC0415  (four megabytes that other formats do without)

    try:
        with BmpImageFile(path) as picture:
            plain = picture.convert(_MODES.get(picture.mode, picture.mode))
        pixels = plain.tobytes()
    except MemoryError:
        raise
    except Exception as error:
        raise errors.Undecodable from error  # whatever its Python raises, these bytes are the reason
    bands = len(plain.getbands())
    image = pyvips.Image.new_from_memory(pixels, plain.width, plain.height, bands, "uchar")
    image = image.copy(interpretation=_INTERPRETATIONS[bands])
    # Many programs write zeros where alpha would be, and mean no transparency.
    if image.hasalpha() and image.extract_band(bands - 1).max() == 0:
        return image.extract_band(0, n=bands - 1)
    return image
