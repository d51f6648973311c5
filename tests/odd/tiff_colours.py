"""TIFFs with colours and samples of any meaning."""

import struct
from typing import Any

from tests.formats import tiffs
from tests.formats.tiffs import EXTRA_SAMPLES, RATIONAL, SHORT, Page, plain, tiff
from tests.images import CORNERS
from tests.odd import WHITE, Corners, Odd, refused

RGB = tuple(bytes(colour) for colour in CORNERS)
#: CORNERS in CIELab relative to D50: L in percent, a and b.
LAB = ((48.18, 69.17, 52.29), (57.67, -52.24, 48.75), (29.6, 38.8, -80.52), (87.47, -4.89, 75.03))
#: CORNERS in YCbCr by ITU-R BT.601, full range.
YCBCR = ((87, 96, 223), (107, 90, 73), (61, 206, 106), (208, 45, 151))
FULL_RANGE = {tiffs.REFERENCE: (RATIONAL, (0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1))}
STUDIO = {tiffs.REFERENCE: (RATIONAL, (16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1))}
NOT_SUBSAMPLED = {tiffs.SUBSAMPLING: (SHORT, (1, 1))}


def _rgb_and(*extra: bytes) -> bytes:
    return tiffs.quadrants(*(colour + more for colour, more in zip(RGB, extra, strict=True)))


def extra(*meanings: int) -> tiffs.Tags:
    return {EXTRA_SAMPLES: (SHORT, meanings)}


def of_lab() -> dict[str, Odd]:
    cielab8 = [struct.pack("Bbb", round(light * 2.55), round(a), round(b)) for light, a, b in LAB]
    icclab8 = [struct.pack("BBB", round(light * 2.55), round(a + 128), round(b + 128)) for light, a, b in LAB]
    cielab16 = [struct.pack("<Hhh", round(light * 655.35), round(a * 256), round(b * 256)) for light, a, b in LAB]
    icclab16 = [
        struct.pack("<HHH", *map(round, (light * 652.8, (a + 128) * 256, (b + 128) * 256))) for light, a, b in LAB
    ]
    with_alpha = [colour + b"\xff" for colour in cielab8]
    return {
        "tiff-cielab-8": Odd(tiff(plain(tiffs.quadrants(*cielab8), photometric=8))),
        "tiff-cielab-8-motorola": Odd(tiff(plain(tiffs.quadrants(*cielab8), photometric=8), order=">")),
        "tiff-cielab-8-alpha": Odd(tiff(plain(tiffs.quadrants(*with_alpha), samples=4, photometric=8, tags=extra(2)))),
        "tiff-cielab-16": Odd(tiff(plain(tiffs.quadrants(*cielab16), photometric=8, bits=16))),
        "tiff-icclab-8": Odd(tiff(plain(tiffs.quadrants(*icclab8), photometric=9))),
        "tiff-icclab-16": Odd(tiff(plain(tiffs.quadrants(*icclab16), photometric=9, bits=16))),
    }


def of_ycbcr() -> dict[str, Odd]:
    full = [bytes(colour) for colour in YCBCR]
    studio = [bytes((round(16 + y * 219 / 255), *(round(128 + (c - 128) * 112 / 127) for c in cc))) for y, *cc in YCBCR]
    subsampled = [bytes((y, y, y, y, cb, cr)) for y, cb, cr in YCBCR]
    blocks = tiffs.quadrants(*subsampled, size_px=(tiffs.WIDTH_PX // 2, tiffs.HEIGHT_PX // 2))
    tile = b"".join(subsampled[:1] * 64)
    halved: tiffs.Tags = {tiffs.SUBSAMPLING: (SHORT, (2, 2)), **FULL_RANGE}
    tiled: dict[str, Any] = {"photometric": 6, "tile_px": (16, 16), "tags": halved}
    whole = tiffs.deflated(tile, tile, **tiled)
    return {
        "tiff-ycbcr": Odd(tiff(plain(tiffs.quadrants(*full), photometric=6, tags={**NOT_SUBSAMPLED, **FULL_RANGE}))),
        "tiff-ycbcr-no-reference": Odd(tiff(plain(tiffs.quadrants(*full), photometric=6, tags=NOT_SUBSAMPLED))),
        "tiff-ycbcr-studio": Odd(
            tiff(plain(tiffs.quadrants(*studio), photometric=6, tags={**NOT_SUBSAMPLED, **STUDIO}))
        ),
        "tiff-ycbcr-subsampled": Odd(tiff(plain(blocks, photometric=6, tags=halved))),
        "tiff-ycbcr-tile-damaged": refused(
            tiff(Page([whole.pieces[0], b"\x78\x9c" + b"\xff" * 40], **{**tiled, "compression": tiffs.DEFLATE})),
            "undecodable",
        ),
        "tiff-ycbcr-lzma": refused(
            tiff(Page(whole.pieces, **{**tiled, "compression": 34925})), "unsupported_format", "compressed by LZMA"
        ),
        "tiff-ycbcr-16": refused(
            tiff(plain(bytes(32 * 16 * 6), photometric=6, bits=16, tags=NOT_SUBSAMPLED)),
            "unsupported_format",
            "in YCbCr with 16 bits a sample",
        ),
    }


def of_alpha() -> dict[str, Odd]:
    selection, all_clear, opaque = (b"\0", b"\0", b"\xff", b"\x80"), (b"\0",) * 4, (b"\xff",) * 4
    half = tuple(bytes(value // 2 for value in colour) + b"\x80" for colour in RGB)
    on_white: Corners = tuple(tuple(round(value / 2 + 127) for value in colour) for colour in CORNERS)
    inks = [bytes(255 - value for value in colour) + b"\0" for colour in ((255, 255, 255),) * 4]
    deep = [struct.pack("<4H", *(257 * value for value in colour), 0) for colour in CORNERS]
    grey = [bytes((value, 0)) for value in (40, 90, 160, 220)]
    shades: Corners = tuple((value,) * 3 for value in (40, 90, 160, 220))
    indices, colour_map = tiffs.quadrants(b"\0\0", b"\1\0", b"\2\0", b"\3\0"), [0] * 768
    for index, colour in enumerate(CORNERS):
        colour_map[index], colour_map[256 + index], colour_map[512 + index] = (257 * value for value in colour)
    return {
        "tiff-saved-selection": Odd(tiff(plain(_rgb_and(*selection), samples=4, tags=extra(0)))),
        "tiff-two-selections-and-alpha": Odd(
            tiff(plain(tiffs.quadrants(*(colour + b"\0\x40\xff" for colour in RGB)), samples=6, tags=extra(0, 0, 2)))
        ),
        "tiff-near-infrared": Odd(tiff(plain(tiffs.quadrants(*deep), samples=4, bits=16, tags=extra(0)))),
        "tiff-cmyk-spot": Odd(
            tiff(plain(tiffs.quadrants(*(ink + b"\0" for ink in inks)), samples=5, photometric=5, tags=extra(0))),
            corners=(WHITE,) * 4,
        ),
        "tiff-grey-spot": Odd(
            tiff(plain(tiffs.quadrants(*grey), samples=2, photometric=1, tags=extra(0))), corners=shades
        ),
        "tiff-palette-spot": Odd(
            tiff(plain(indices, samples=2, photometric=3, tags={0x0140: (SHORT, colour_map), **extra(0)}))
        ),
        "tiff-alpha": Odd(
            tiff(plain(_rgb_and(*all_clear[:2], *opaque[2:]), samples=4, tags=extra(2))),
            corners=(WHITE, WHITE, *CORNERS[2:]),
        ),
        "tiff-premultiplied": Odd(tiff(plain(tiffs.quadrants(*half), samples=4, tags=extra(1))), corners=on_white),
        "tiff-padded": Odd(tiff(plain(_rgb_and(*all_clear), samples=4))),
        "tiff-untold-alpha": Odd(
            tiff(plain(_rgb_and(*all_clear[:2], *opaque[2:]), samples=4)), corners=(WHITE, WHITE, *CORNERS[2:])
        ),
    }
