"""Converts everything to 8-bit sRGB, or to 8-bit grey where it was grey; alpha stays. No profile is needed then."""

from contextlib import suppress
from functools import cache, lru_cache
from itertools import product

import pyvips

_PROFILE = "icc-profile-data"
_KNOWN = frozenset({"srgb", "b-w", "rgb16", "grey16", "scrgb", "cmyk", "lab", "labs", "xyz", "hsv", "rgb"})
_GREY = frozenset({"b-w", "grey16"})
#: Floating-point samples of these have units; of all others 1 is white.
_ABSOLUTE = frozenset({"lab", "xyz", "scrgb", "cmyk", "hsv"})
#: How far two profiles of the same colours differ at most, by rounding and by how they write sRGB's curve.
_SAME_COLOUR = 2


def to_srgb(image: pyvips.Image, *, always: bool = False) -> pyvips.Image:
    """The picture in sRGB, or grey, with 8 bits a sample; itself, if it is that already.

    A profile that is broken, or meant for another kind of picture, is ignored, not fatal.
    always: convert by the profile even if it is about that of sRGB.
    """
    image = _without_extra_bands(_named(image))
    target = "b-w" if image.interpretation in _GREY else "srgb"
    if (always and image.get_typeof(_PROFILE)) or _needs_profile(image):
        with suppress(pyvips.Error):  # else what an untagged picture gets
            image = _by_profile(image)
    if image.interpretation != target:
        image = image.colourspace(target)
    return image if image.format == "uchar" else image.cast("uchar")


def without_idle_alpha(image: pyvips.Image) -> pyvips.Image:
    """The image, less an alpha channel that hides nothing."""
    if image.hasalpha() and image.extract_band(image.bands - 1).min() == 255:
        return image.extract_band(0, n=image.bands - 1)
    return image


def is_srgb(profile: bytes) -> bool:
    """Whether converting by this ICC profile would leave RGB as it is, whatever the profile calls itself."""
    return _is_srgb(profile) if profile[16:20] == b"RGB " else False


@lru_cache(maxsize=32)  # most pictures have one of a few profiles, and trying one takes 2 ms
def _is_srgb(profile: bytes) -> bool:
    samples = _samples().copy()
    samples.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
    try:
        return bool((_by_profile(samples) - samples).abs().max() <= _SAME_COLOUR)
    except pyvips.Error:
        return False


@cache
def _samples() -> pyvips.Image:
    """A cube of 125 colours."""
    colours = bytes(level for colour in product((0, 64, 128, 192, 255), repeat=3) for level in colour)
    return pyvips.Image.new_from_memory(colours, 125, 1, 3, "uchar").copy(interpretation="srgb")


def _needs_profile(image: pyvips.Image) -> bool:
    """Whether to convert by profile: CMYK means nothing without one; others need one that is there and is not sRGB."""
    if image.interpretation == "cmyk":
        return True
    return bool(image.get_typeof(_PROFILE)) and not is_srgb(image.get(_PROFILE))


def _by_profile(image: pyvips.Image) -> pyvips.Image:
    """Convert from the embedded profile to sRGB; from libvips' own where CMYK comes without. Raises pyvips.Error.

    Relative intent keeps the colours that sRGB has exactly as they are, where a perceptual table may move all of them;
    black point compensation maps the blackest ink to black, so that shadows of print keep their depth.
    """
    return image.icc_transform(
        "srgb", embedded=True, input_profile="cmyk", intent="relative", black_point_compensation=True
    )


def _named(image: pyvips.Image) -> pyvips.Image:
    """Give samples of no declared meaning (TIFF allows them) the most likely one."""
    colourful = image.bands >= 3
    if image.format in ("uint", "int"):
        image = (image / 65536).cast("ushort").copy(interpretation="rgb16" if colourful else "grey16")
    if image.format in ("float", "double") and image.interpretation not in _ABSOLUTE:
        return _linear(image)
    if image.interpretation in _KNOWN:
        return image
    if image.format == "ushort":
        return image.copy(interpretation="rgb16" if colourful else "grey16")
    return image.copy(interpretation="srgb" if colourful else "b-w")


def _linear(image: pyvips.Image) -> pyvips.Image:
    """Floating-point samples as linear light, where 1 is white."""
    if image.bands >= 3:
        return image.copy(interpretation="scrgb")
    grey = image.extract_band(0)
    bands = [grey, grey, *([image.extract_band(1)] if image.bands == 2 else [])]
    return grey.bandjoin(bands).copy(interpretation="scrgb").colourspace("b-w")


def _without_extra_bands(image: pyvips.Image) -> pyvips.Image:
    """Keep colour and the first alpha."""
    colours = {"b-w": 1, "grey16": 1, "cmyk": 4}.get(image.interpretation, 3)
    return image if image.bands <= colours + 1 else image.extract_band(0, n=colours + 1)
