"""One way in for every format: the first frame, whole and undamaged, at about the size that is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyvips

from media_jobs import errors
from media_jobs.pipeline import orientation
from media_jobs.pipeline.colour import to_srgb
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.readers import bmp, gif, heif, jpeg, tiff, vips
from media_jobs.pipeline.readers.damage import refusal
from media_jobs.pipeline.values import Limits

_PROFILE = "icc-profile-data"


class UnexpectedSize(RuntimeError):
    """A decoder gave another size than the header said: a fault of ours, and no picture."""


def decode(
    found: Found, size_px: tuple[int, int], limits: Limits, rotation: int = 0, *, coarsely: bool = False
) -> pyvips.Image:
    """The picture in memory, upright, in 8-bit sRGB or grey, `size_px` wide and high as displayed.

    rotation: degrees clockwise that a person wants on top, already counted in `size_px`.
    coarsely: let the decoder itself do as much of the shrinking as it can, by its averages.
    Raises Truncated, Undecodable, TooMuchMemory, WorkspaceFull.
    """
    sideways = orientation.sideways(orientation.combined(found.turn, rotation))
    try:
        picture = _read(found, size_px[::-1] if sideways else size_px, coarsely)
        picture = to_srgb(_with_profile(picture, found), always=bool(found.profile))
        return orientation.turn(picture, found.turn, rotation).copy_memory()
    except (pyvips.Error, errors.Undecodable) as error:
        raise refusal(
            found.path,
            found.coded_as,
            str(error.__cause__ or error),
            memory_bytes=limits.memory_bytes,
            pixels=found.frame_pixels,
        ) from error
    except MemoryError as error:
        raise errors.TooMuchMemory(needed_bytes=limits.memory_bytes + 1, limit_bytes=limits.memory_bytes) from error


def shrink(image: pyvips.Image, size_px: tuple[int, int]) -> pyvips.Image:
    """Scale to exactly `size_px`. Colours of transparent pixels do not bleed into their neighbours."""
    now_px = (image.width, image.height)
    if now_px == size_px:
        return image
    across, down = size_px[0] / now_px[0], size_px[1] / now_px[1]
    if not image.hasalpha():
        return image.resize(across, vscale=down)
    return image.premultiply().resize(across, vscale=down).unpremultiply().cast(image.format)


def _read(found: Found, size_px: tuple[int, int], coarsely: bool) -> pyvips.Image:
    """Decode everything once, shrinking on the way. Damage is an error, never a grey area."""
    options = _shrink_on_load(found, size_px, coarsely)
    if found.coded_as == "jpeg":

        def finish(image: pyvips.Image) -> pyvips.Image:
            return shrink(_as_expected(found, image, options["shrink"]), size_px).copy_memory()

        return jpeg.read(found.path, finish, **options)
    with _opened(found, options) as image:
        shown = _within(found, _as_expected(found, image, 1 / options.get("scale", 1)))
        return shrink(shown, size_px).copy_memory()


def _as_expected(found: Found, image: pyvips.Image, shrunk_by: float = 1) -> pyvips.Image:
    """The image, if it is as large as the header led to expect, a rounded pixel aside where its decoder has shrunk it.

    Otherwise one of the two was read wrongly, and to go on would stretch the picture. Raises UnexpectedSize.
    """
    expected_px = found.reading.whole_px or (found.width_px, found.height_px)
    found_px = (image.width, image.height)
    spare = 1 if shrunk_by > 1 else 0
    if any(abs(side - wanted / shrunk_by) > spare for side, wanted in zip(found_px, expected_px, strict=True)):
        raise UnexpectedSize(f"{found.coded_as}: {found_px} instead of {expected_px}, shrunk by {shrunk_by:g}")
    return image


def _within(found: Found, image: pyvips.Image) -> pyvips.Image:
    """What of the image is to be shown, its colours at full strength whatever their alpha."""
    if window := found.reading.window:
        image = image.crop(window.left, window.top, window.width_px, window.height_px)
    return image.unpremultiply().cast(image.format) if found.reading.premultiplied and image.hasalpha() else image


@contextmanager
def _opened(found: Found, options: dict[str, Any]) -> Iterator[pyvips.Image]:
    """The picture at its full size, or as its decoder shrinks it."""
    if found.coded_as == "heic":
        with heif.opened(found.path) as image:
            yield image
    elif found.coded_as == "tiff":
        with tiff.opened(found.path, found.reading) as image:
            yield image
    elif found.coded_as == "gif":
        yield gif.load(found.path)
    elif found.coded_as == "bmp":
        yield bmp.load(found.path)
    else:
        yield vips.load(found.coded_as, str(found.path), fail_on="error", **options)


def _with_profile(image: pyvips.Image, found: Found) -> pyvips.Image:
    """The picture with the colours that its header tells. In HEIF an ICC profile in the picture goes first."""
    if found.profile is None or (found.coded_as in ("avif", "heic") and image.get_typeof(_PROFILE)):
        return image
    image = image.copy()
    if found.profile:
        image.set_type(pyvips.GValue.blob_type, _PROFILE, found.profile)
    elif image.get_typeof(_PROFILE):
        image.remove(_PROFILE)
    return image


def _shrink_on_load(found: Found, size_px: tuple[int, int], coarsely: bool) -> dict[str, Any]:
    """Let the decoder do the coarse part, but leave a factor of two to the better filter; nothing, if `coarsely`."""
    spare = min(found.width_px / size_px[0], found.height_px / size_px[1]) / (1 if coarsely else 2)
    if found.coded_as == "jpeg":
        return {"shrink": next(factor for factor in (8, 4, 2, 1) if spare >= factor or factor == 1)}
    if found.coded_as == "webp" and spare > 1 and found.pages == 1:
        return {"scale": 1 / spare}
    return {}
