"""One file as a viewer shows it: upright by its tag, in sRGB by its profile, on white. Importing this loads libvips."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyvips

from media_jobs.pipeline import orientation
from media_jobs.pipeline.compare.scales import Size
from media_jobs.pipeline.decode import decode
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.guard import guard
from media_jobs.pipeline.privacy import facts
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.values import Limits

_WHITE = 255
_POSITION = "gps"


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose header was read. carries: names of what is in it besides its pixels."""

    found: Found
    size_px: Size
    carries: tuple[str, ...]
    has_position: bool


def opened(path: Path, limits: Limits, until: ExitStack) -> Opened:
    """Read the header and the metadata. Raises ImageRefused."""
    found = until.enter_context(probe(path, limits))
    extracted = facts.extract(found)
    return Opened(found, found.displayed_px, extracted.names, _POSITION in extracted.facts)


def picture(file: Opened, about_px: Size, limits: Limits) -> pyvips.Image:
    """The picture in memory, three bands of 8 bits, at least as large as `about_px`, upright or not.

    Raises ImageRefused.

    It has the size that its decoder comes to at once: nothing is resampled. Where a decoder would have to cut off what
    does not fill a whole pixel, it does not shrink: it would move the picture.
    """
    stored_px = file.size_px
    if (stored_px[0] > stored_px[1]) != (about_px[0] > about_px[1]):
        about_px = about_px[::-1]
    sides = tuple(zip(stored_px, about_px, strict=True))
    factor = next(
        by for by in (8, 4, 2, 1) if by == 1 or all(side % by == 0 and side // by >= px for side, px in sides)
    )
    size_px = (stored_px[0] // factor, stored_px[1] // factor)
    guard(file.found, limits, largest_px=size_px)
    return _on_white(decode(file.found, size_px, limits, coarsely=True))


def resized(image: pyvips.Image, size_px: Size, kernel: str = "linear") -> pyvips.Image:
    """The whole image, averaged down to just `size_px`; in memory."""
    if (image.width, image.height) == size_px:
        return image
    across, down = size_px[0] / image.width, size_px[1] / image.height
    return image.resize(across, vscale=down, kernel=kernel).copy_memory()


def upright(image: pyvips.Image, turned: int) -> pyvips.Image:
    return image if turned == orientation.UPRIGHT else orientation.turn(image, turned).copy_memory()


def _on_white(image: pyvips.Image) -> pyvips.Image:
    if image.hasalpha():
        image = image.flatten(background=_WHITE)
    if image.bands == 1:
        image = image.colourspace("srgb")
    return image.copy_memory()
