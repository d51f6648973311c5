"""All odd files by name."""

from tests.odd import Odd
from tests.odd.bitmaps import of_bmp_and_gif
from tests.odd.heifs import of_heif
from tests.odd.jpegs import of_jpeg
from tests.odd.tiff_colours import of_alpha, of_lab, of_ycbcr
from tests.odd.tiff_pages import of_jpeg_in_tiff, of_pages, of_variants


def odd_files() -> dict[str, Odd]:
    return {
        **of_heif(),
        **of_jpeg(),
        **of_lab(),
        **of_ycbcr(),
        **of_alpha(),
        **of_pages(),
        **of_variants(),
        **of_jpeg_in_tiff(),
        **of_bmp_and_gif(),
    }


#: One of each kind, for tests of whole services.
KINDS = (
    "heic-rotation-before-size",
    "avif-rotation-before-size",
    "heic-cropped-a-lot",
    "avif-premultiplied",
    "jpeg-toy-camera",
    "jpeg-toy-camera-sector-lost",
    "tiff-saved-selection",
    "tiff-cmyk-spot",
    "tiff-thumbnail-first",
    "tiff-second-page-garbage",
    "tiff-ycbcr",
    "tiff-ycbcr-tile-damaged",
    "tiff-ycbcr-lzma",
    "tiff-jpeg-tile-damaged",
    "tiff-cielab-8",
    "tiff-icclab-8",
    "tiff-planar-tiles",
    "tiff-zstd",
    "tiff-grey-12",
    "bmp-alpha-all-zero",
    "gif-first-frame-smaller",
)
