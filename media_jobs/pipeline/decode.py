"""One way in for every format: the first frame, whole and undamaged, at about the size that is wanted."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyvips

from media_jobs import errors
from media_jobs.pipeline import orientation
from media_jobs.pipeline.colour import to_srgb
from media_jobs.pipeline.probe import Found
from media_jobs.pipeline.readers import bmp, heif, repair, vips
from media_jobs.pipeline.readers.damage import refusal
from media_jobs.pipeline.values import Limits

#: What libjpeg warns of although every pixel is there.
_HARMLESS = (
    "extraneous bytes",
    "Adobe color transform",
    "unknown JFIF revision",
    "progression sequence",
    "SOS parameters",
)
_NO_END = "premature end of JPEG"
_PROFILE = "icc-profile-data"


def decode(found: Found, size_px: tuple[int, int], limits: Limits, rotation: int = 0) -> pyvips.Image:
    """The picture in memory, upright, in 8-bit sRGB or grey, `size_px` wide and high as displayed.

    rotation: degrees clockwise that a person wants on top, already counted in `size_px`.
    Raises Truncated, Undecodable, TooMuchMemory, WorkspaceFull.
    """
    sideways = orientation.sideways(orientation.combined(found.turn, rotation))
    try:
        picture = _read(found, size_px[::-1] if sideways else size_px)
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


def _read(found: Found, size_px: tuple[int, int]) -> pyvips.Image:
    """Decode everything once, shrinking on the way. Damage is an error, never a grey area."""
    if found.coded_as == "jpeg":
        return _read_jpeg(found, size_px)
    with _opened(found, size_px) as image:
        return shrink(image, size_px).copy_memory()


@contextmanager
def _opened(found: Found, size_px: tuple[int, int]) -> Iterator[pyvips.Image]:
    """The picture at its full size, or as little larger than `size_px` as its decoder makes it."""
    if found.coded_as == "heic":
        with heif.opened(found.path) as image:
            yield image
    elif found.coded_as == "bmp":
        yield bmp.load(found.path)
    else:
        yield vips.load(found.coded_as, str(found.path), fail_on="error", **_shrink_on_load(found, size_px))


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


def _read_jpeg(found: Found, size_px: tuple[int, int]) -> pyvips.Image:
    options = _shrink_on_load(found, size_px)

    def read(path: Path, fail_on: str) -> pyvips.Image:
        vips.noted()
        picture = shrink(vips.load("jpeg", str(path), fail_on=fail_on, **options), size_px).copy_memory()
        # libvips looks for warnings before it reads on: what the last eight lines lack, only its notes tell.
        if fail_on == "warning" and (said := vips.noted()):
            raise pyvips.Error("damaged at its end", said)
        return picture

    # JPEG decoders report damage as a warning like any other; so the first one decides.
    try:
        return read(found.path, "warning")
    except pyvips.Error as error:
        if any(words in str(error) for words in _HARMLESS):
            return read(found.path, "error")
        if _NO_END not in str(error):
            raise
        with tempfile.NamedTemporaryFile() as copy:
            if not repair.close_jpeg(found.path, Path(copy.name)):
                raise
            with suppress(pyvips.Error):  # then what was said first is what ails it
                return read(Path(copy.name), "warning")
        raise


def _shrink_on_load(found: Found, size_px: tuple[int, int]) -> dict[str, Any]:
    """Let the decoder do the coarse part, but leave a factor of two to the better filter."""
    spare = min(found.width_px / size_px[0], found.height_px / size_px[1]) / 2
    if found.coded_as == "jpeg":
        return {"shrink": next(factor for factor in (8, 4, 2, 1) if spare >= factor or factor == 1)}
    if found.coded_as == "webp" and spare > 1 and found.pages == 1:
        return {"scale": 1 / spare}
    return {}
