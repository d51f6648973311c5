"""How many pixels each decoder buffers at once, beyond a few lines. The factors are measured."""

import pyvips

from media_jobs.pipeline.formats import bmp as formats_bmp
from media_jobs.pipeline.formats import heif as formats_heif
from media_jobs.pipeline.formats import tiff as formats_tiff
from media_jobs.pipeline.formats.pixels import tiff_page, tiff_samples
from media_jobs.pipeline.readers import vips

_PARTS = {"avif": 4, "heic": 1}  # what the codec itself holds, and copies of that


def bmp(header: formats_bmp.Header) -> int:
    """Three copies: as Pillow has it, converted, and for libvips."""
    return 3 * header.width_px * header.height_px


def heif(header: formats_heif.Header) -> int:
    """The whole picture, as the codec's library has it and as libvips does, and a tile."""
    return 2 * header.own_pixels + _PARTS[header.format] * header.part_pixels


def tiff(page: tiff_page.Page, samples: tiff_samples.Samples) -> int:
    """One strip, or one row of tiles, as stored and unpacked; twice all of it where only all can tell what is alpha."""
    tags = page.tags
    width, height = formats_tiff.number(tags, 0x0100), formats_tiff.number(tags, 0x0101)
    whole = 2 * width * height if samples.alpha is not None and not samples.is_told else 0
    if tile_height := formats_tiff.number(tags, 0x0143):
        return whole + 2 * tile_height * max(width, formats_tiff.number(tags, 0x0142))
    return whole + 2 * width * min(height, formats_tiff.number(tags, 0x0116, height))


def others(format: str, header: pyvips.Image) -> int:
    """JPEG, PNG, GIF and WebP, by what libvips says of them."""
    pixels = int(header.width * header.height)
    if format == "jpeg":
        if not vips.number(header, "jpeg-multiscan", 0):
            return 0
        # Coefficients take two bytes a sample and must all be there before the first line comes out.
        halved = header.get_typeof("jpeg-chroma-subsample") and header.get("jpeg-chroma-subsample") == "4:2:0"
        return pixels if halved else 2 * pixels
    if format == "png":
        return pixels if vips.number(header, "interlaced", 0) else 0
    if format == "gif":
        return 3 * pixels  # canvas, the frame before it, and what libvips copies out
    return 5 * pixels  # WebP: the frame, the canvas before and after it, and what libvips copies out
