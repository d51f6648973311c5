"""TIFFs of many pages, and of variants that nothing here can read."""

import struct
from typing import Any

from tests.formats import tiffs
from tests.formats.tiffs import LONG, SHORT, Page, plain, tiff
from tests.images import CORNERS, encoded, quadrants
from tests.odd import Odd, refused
from tests.odd.jpegs import restarting
from tests.odd.tiff_colours import FULL_RANGE, RGB, extra


def of_pages() -> dict[str, Odd]:
    small = plain(tiffs.quadrants(*RGB[::-1], size_px=(8, 4)), size_px=(8, 4))
    reduced = plain(small.pieces[0], size_px=(8, 4), tags={tiffs.SUBFILE_TYPE: (LONG, [1])})
    old_reduced = plain(small.pieces[0], size_px=(8, 4), tags={tiffs.OLD_SUBFILE_TYPE: (SHORT, [2])})
    mask = plain(bytes(32), samples=1, bits=1, photometric=4, size_px=(64, 4), tags={tiffs.SUBFILE_TYPE: (LONG, [4])})
    page = plain(tiffs.quadrants(*RGB))
    upside_down = plain(tiffs.quadrants(*RGB[::-1]), tags={0x0112: (SHORT, [3])})
    alone = tiff(page)
    return {
        "tiff-thumbnail-first": Odd(tiff(reduced, page)),
        "tiff-old-thumbnail-first": Odd(tiff(old_reduced, page)),
        "tiff-mask-first": Odd(tiff(mask, reduced, page, small)),
        "tiff-thumbnail-first-turned": Odd(tiff(reduced, upside_down)),
        "tiff-thumbnails-only": Odd(tiff(reduced, reduced), (8, 4), CORNERS[::-1]),
        "tiff-pages": Odd(tiff(page, small)),
        "tiff-second-page-beyond-its-end": Odd(tiff(page, behind=10_000_000)),
        "tiff-second-page-garbage": Odd(tiff(page, behind=len(alone)) + b"\xff" * 500),
        "tiff-second-page-empty": Odd(tiff(page, behind=len(alone)) + bytes(500)),
        "tiff-second-page-cut": Odd(tiff(page, behind=len(alone)) + b"\x0c\0" + bytes(30)),
        "tiff-second-page-without-size": Odd(
            tiff(page, behind=len(alone)) + struct.pack("<HHHIII", 1, 0x0103, 3, 1, 1, 0)
        ),
        "tiff-second-page-cut-motorola": Odd(tiff(page, order=">", behind=len(alone)) + b"\0\x0c" + bytes(30)),
        "tiff-thumbnail-then-nothing": refused(tiff(reduced, behind=10_000_000), "truncated"),
    }


def of_variants() -> dict[str, Odd]:
    pixels = tiffs.quadrants(*RGB)
    blank = bytes(32 * 16 * 6)
    planes = [pixels[at::3] for at in range(3)]
    unsupported = {
        "tiff-zstd": (Page([pixels], compression=50_000), "compressed by ZSTD"),
        "tiff-lerc": (Page([pixels], compression=34_887), "compressed by LERC"),
        "tiff-lzma": (Page([pixels], compression=34_925), "compressed by LZMA"),
        "tiff-old-jpeg": (Page([pixels], compression=6), "compressed by old-style JPEG"),
        "tiff-jpeg-2000": (Page([pixels], compression=34_712), "compressed by JPEG 2000"),
        "tiff-jbig": (Page([pixels], compression=34_661), "compressed by JBIG"),
        "tiff-unknown": (Page([pixels], compression=12_345), "compressed by the unknown scheme 12345"),
        "tiff-grey-12": (plain(blank, samples=1, bits=12, photometric=1), "with 12 bits a sample"),
        "tiff-rgb-10": (plain(blank, bits=10), "with 10 bits a sample"),
        "tiff-planar-tiles": (
            Page([plane[:256] for plane in planes], tile_px=(32, 16), tags={tiffs.PLANAR: (SHORT, [2])}),
            "in tiles of separate planes",
        ),
        "tiff-six-inks": (
            plain(blank, samples=6, photometric=5, tags={tiffs.INK_SET: (SHORT, [2]), tiffs.INKS: (SHORT, [6])}),
            "in 6 inks",
        ),
        "tiff-complex": (
            plain(blank, samples=1, bits=32, photometric=1, tags={tiffs.SAMPLE_FORMAT: (SHORT, [6])}),
            "of complex numbers",
        ),
        "tiff-lab-premultiplied": (
            plain(blank, samples=4, photometric=8, tags=extra(1)),
            "in Lab with premultiplied alpha",
        ),
        "tiff-itu-lab": (plain(pixels, photometric=10), "of the photometric interpretation 10"),
    }
    planar = Page(planes, tags={tiffs.PLANAR: (SHORT, [2]), tiffs.ROWS: (LONG, [16])})
    return {
        **{
            name: refused(tiff(page), "unsupported_format", f"a TIFF {words}")
            for name, (page, words) in unsupported.items()
        },
        "tiff-planes": Odd(tiff(planar)),
    }


def of_jpeg_in_tiff() -> dict[str, Odd]:
    whole = encoded(quadrants(32, 16), "JPEG", quality=95, subsampling=0)
    noisy = restarting(64, 48)
    damaged_at = noisy.index(b"\xff\xda") + 14
    damaged = noisy[:damaged_at] + noisy[damaged_at : damaged_at + 20] + b"\xff\xd9"
    strays = whole[:-2] + b"\x55\x55" + whole[-2:]
    ycbcr: dict[str, Any] = {
        "compression": 7,
        "photometric": 6,
        "tags": {tiffs.SUBSAMPLING: (SHORT, (1, 1)), **FULL_RANGE},
    }
    other: dict[str, Any] = {**ycbcr, "tags": {tiffs.SUBSAMPLING: (SHORT, (2, 2)), **FULL_RANGE}, "size_px": (64, 48)}
    return {
        "tiff-jpeg": Odd(tiff(Page([whole], **ycbcr))),
        "tiff-jpeg-strays": Odd(tiff(Page([strays], **ycbcr))),
        "tiff-jpeg-strip-damaged": refused(tiff(Page([damaged], **other)), "undecodable"),
        "tiff-jpeg-tile-damaged": refused(tiff(Page([damaged], **{**other, "tile_px": (64, 48)})), "undecodable"),
    }
