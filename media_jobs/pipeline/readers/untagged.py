"""The colours of a picture whose file tells them otherwise than by an ICC profile, as a profile of ours.

Empty stands for sRGB, None for what the decoder finds in the file: its ICC profile, or nothing, which is sRGB, too.
"""

import pyvips

from media_jobs.pipeline.formats.colours import cicp, icc, in_exif, in_png
from media_jobs.pipeline.formats.colours.in_exif import Said
from media_jobs.pipeline.formats.common import Bytes
from media_jobs.pipeline.formats.tiff import EXIF_MARK
from media_jobs.pipeline.readers import vips

_DISPLAY_P3 = icc.Colours(icc.DISPLAY_P3_PRIMARIES, icc.SRGB_CURVE)


def png(data: Bytes, header: pyvips.Image) -> bytes | None:
    """As the chunks of a PNG tell them, some of which go before an ICC profile."""
    told = in_png.told(data, vips.profile(header))
    return None if told is None else icc.profile(told, grey=vips.is_grey(header))


def jpeg(header: pyvips.Image, otherwise: Said) -> bytes | None:
    """Adobe RGB, where EXIF says so and there is no ICC profile. otherwise: what counts where EXIF says nothing."""
    if vips.has_profile(header) or header.interpretation == "cmyk":
        return None
    exif = vips.exif(header)
    said = in_exif.of_exif(exif.removeprefix(EXIF_MARK)) if exif else Said.NOTHING
    said = otherwise if said is Said.NOTHING else said
    return icc.profile(icc.ADOBE_RGB, grey=vips.is_grey(header)) if said is Said.ADOBE_RGB else None


def heif(primaries: int) -> bytes | None:
    """Display P3, by its number in ITU-T H.273. An ICC profile goes before it."""
    return icc.profile(_DISPLAY_P3, grey=False) if primaries == cicp.DISPLAY_P3 else None
