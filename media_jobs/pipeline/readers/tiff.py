"""TIFF through libvips: the page that is the picture, its colours, its alpha and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyvips

from media_jobs.pipeline.formats.pixels.reading import Reading
from media_jobs.pipeline.formats.pixels.tiff_samples import Colours, Samples
from media_jobs.pipeline.readers import vips
from media_jobs.pipeline.readers.damage import is_stray

_PROFILE = "icc-profile-data"
#: A strip's own header may claim more lines than the strip has to have; then those that nobody needs may be missing.
_OVERSIZED, _MISSING = "JPEG strip size exceeds expected dimensions", "premature end of data segment"
#: What libtiff says of files that are odd, and whole.
_HARMLESS = ("Old-style LZW codes", _OVERSIZED)
_MOST = {"uchar": 255, "ushort": 65_535}


@contextmanager
def opened(path: Path, reading: Reading) -> Iterator[pyvips.Image]:
    """The page's picture; its pixels must be read before this ends.

    Raises pyvips.Error, at the end for damage that libtiff and libjpeg only mention.
    """
    vips.noted(), vips.warned()
    image = vips.load("tiff", str(path), page=reading.page, fail_on="error")
    of_headers = _said()
    yield _with_alpha(image, reading.samples)
    if damage := _damage([line for line in _said() if line not in of_headers]):
        raise pyvips.Error("damaged", "\n".join(damage))


def _said() -> list[str]:
    # A JPEG before this picture may be closed only now, and logs then what it told long ago.
    warned = [line for line in vips.warned() if "read gave" not in line and "VipsJpeg" not in line]
    lines = [*vips.noted().splitlines(), *warned]
    return [said for line in lines if (said := line.removeprefix("VIPS: ").strip())]


def _damage(said: list[str]) -> list[str]:
    """What of it means that pixels are damaged or missing."""
    harmless = (*_HARMLESS, _MISSING) if any(_OVERSIZED in line for line in said) else _HARMLESS
    return [line for line in said if not is_stray(line) and not any(words in line for words in harmless)]


def _with_alpha(image: pyvips.Image, samples: Samples) -> pyvips.Image:
    """The image without samples that are neither colour nor alpha."""
    count = min(3, image.bands) if samples.colours is Colours.PADDED else image.bands - samples.extras
    if not samples.is_told and samples.alpha is not None:
        # A fourth sample that nobody calls alpha may be mere padding, which only all of it can tell.
        image = image.copy_memory()
    colours = _understood(image.extract_band(0, n=count) if count < image.bands else image, samples)
    if samples.alpha is None:
        return colours
    alpha = image.extract_band(count + samples.alpha)
    if not samples.is_told and alpha.max() == 0:
        return colours
    if colours.format != alpha.format:
        alpha = (alpha * (255 / _MOST.get(alpha.format, 1))).rint().cast(colours.format)
    return colours.bandjoin(alpha).copy(interpretation=colours.interpretation)


def _understood(image: pyvips.Image, samples: Samples) -> pyvips.Image:
    """Samples that the decoder leaves as they are stored, in sRGB; all others as they are."""
    if samples.colours is Colours.YCBCR:
        return _from_ycbcr(image, samples.coefficients, samples.reference)
    if samples.colours in (Colours.CIELAB, Colours.ICCLAB):
        return _from_lab(_lab(image, samples.colours))
    return _from_lab(image) if image.interpretation == "lab" and image.format == "float" else image


def _from_ycbcr(image: pyvips.Image, coefficients: tuple[float, ...], reference: tuple[float, ...]) -> pyvips.Image:
    """As TIFF 6.0, section 21, has it."""
    red, green, blue = coefficients
    black, white = reference[::2], reference[1::2]
    ranges = (255, 127, 127)
    scales = [full / ((high - low) or 1) for full, low, high in zip(ranges, black, white, strict=True)]
    plain = image.linear(scales, [-low * scale for low, scale in zip(black, scales, strict=True)])
    to_red, to_blue = 2 - 2 * red, 2 - 2 * blue
    matrix = [[1, 0, to_red], [1, -blue * to_blue / green, -red * to_red / green], [1, to_blue, 0]]
    return plain.recomb(matrix).rint().cast("uchar").copy(interpretation="srgb")


def _lab(image: pyvips.Image, colours: Colours) -> pyvips.Image:
    """L from 0 to 100, a and b from -128 to 127, out of 8 or 16 bits a sample."""
    is_deep = image.format == "ushort"
    unit, middle = (256, 32_768) if is_deep else (1, 128)
    if colours is Colours.CIELAB:
        image = image.extract_band(0).bandjoin(image.extract_band(1, n=2) ^ middle)
        most = 65_535 if is_deep else 255
    else:
        most = 65_280 if is_deep else 255
    return image.linear([100 / most, 1 / unit, 1 / unit], [0, -128, -128]).copy(interpretation="lab")


def _from_lab(image: pyvips.Image) -> pyvips.Image:
    """In sRGB. TIFF's Lab is relative to D50, as ICC's is, and that of libvips' own conversion to D65."""
    image = image.copy()
    image.remove(_PROFILE)  # it is that of a device, and these colours are nobody's
    return image.icc_export(output_profile="srgb", pcs="lab", intent="relative", depth=8)
