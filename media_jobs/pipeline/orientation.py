"""Which way up a picture is: EXIF's eight orientations, and a person's rotation on top."""

from collections.abc import Callable

import pyvips

from media_jobs.pipeline.formats import tiff
from media_jobs.pipeline.formats.common import Bytes

UPRIGHT = 1
#: EXIF's value → whether stored pixels must be mirrored left to right first, and then rotated by, degrees clockwise.
_STEPS = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 180),
    4: (True, 180),
    5: (True, 270),
    6: (False, 90),
    7: (True, 90),
    8: (False, 270),
}
_VALUES = {steps: value for value, steps in _STEPS.items()}


def valid(value: int) -> int:
    """An impossible orientation is none."""
    return value if value in _STEPS else UPRIGHT


def from_exif(exif: Bytes) -> int:
    """The tag of an EXIF block or a TIFF file; 1 where it is missing, impossible or out of reach."""
    return tiff.orientation(exif) or UPRIGHT


def combined(orientation: int, rotation: int) -> int:
    """The one orientation that does both: `orientation` and then `rotation`, 0, 90, 180 or 270 degrees clockwise."""
    mirrored, degrees = _STEPS[orientation]
    return _VALUES[mirrored, (degrees + rotation) % 360]


def sideways(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation >= 5


def turn(image: pyvips.Image, orientation: int, rotation: int = 0) -> pyvips.Image:
    """The picture upright: turned as EXIF's `orientation` says, then by `rotation` degrees clockwise.

    Reads all over the image, which must be in memory; it comes back as it is where nothing is to be done.
    """
    needed = combined(orientation, rotation)
    return image if needed == UPRIGHT else _TURNS[needed](image)


_TURNS: dict[int, Callable[[pyvips.Image], pyvips.Image]] = {
    2: lambda image: image.fliphor(),
    3: lambda image: image.rot180(),
    4: lambda image: image.flipver(),
    5: lambda image: image.rot90().fliphor(),
    6: lambda image: image.rot90(),
    7: lambda image: image.rot90().flipver(),
    8: lambda image: image.rot270(),
}
