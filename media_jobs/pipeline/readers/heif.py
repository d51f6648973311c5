"""HEVC-coded HEIC through pi-heif: the libvips wheel reads its header and then fails on the pixels."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyvips

from media_jobs import errors
from media_jobs.pipeline.readers.damage import lacks_memory

#: pi-heif's modes: bands, libvips' band format and its name for the colours.
_MODES = {
    "L": (1, "uchar", "b-w"),
    "LA": (2, "uchar", "b-w"),
    "RGB": (3, "uchar", "srgb"),
    "RGBA": (4, "uchar", "srgb"),
    "RGBa": (4, "uchar", "srgb"),
    "I;16": (1, "ushort", "grey16"),
    "I;16L": (1, "ushort", "grey16"),
    "LA;16": (2, "ushort", "grey16"),
}


@contextmanager
def opened(path: Path) -> Iterator[pyvips.Image]:
    """The primary picture, turned as its file says, with its ICC profile; deeper colours have 8 bits.

    Its pixels stay where libheif has put them and are gone after: copy what is made from them.
    Raises Undecodable, MemoryError.
    """
    import pi_heif  # noqa: PLC0415  (ten megabytes that other formats do without)

    options = pi_heif.options
    options.DECODE_THREADS = 1
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    try:
        file = pi_heif.HeifFile(path, convert_hdr_to_8bit=True)
        picture = file[file.primary_index]
        pixels = picture.data
        bands, samples, interpretation = _MODES[picture.mode]
    except MemoryError:
        raise
    except Exception as error:  # whatever its Python raises, these bytes are the reason
        if lacks_memory(str(error)):
            raise MemoryError from error
        raise errors.Undecodable from error
    image = pyvips.Image.new_from_memory(pixels, *picture.size, bands, samples).copy(interpretation=interpretation)
    if picture.premultiplied_alpha:
        image = image.unpremultiply().cast(samples)
    if profile := picture.info.get("icc_profile"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", bytes(profile))
    yield image
    del picture  # it owns the pixels, so it must live until here
