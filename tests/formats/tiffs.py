"""TIFF files of any variant, written tag by tag. Stdlib only."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SHORT, LONG, RATIONAL = 3, 4, 5
WIDTH_PX, HEIGHT_PX = 32, 16

Tags = dict[int, tuple[int, Sequence[int]]]  #: type and numbers; of a fraction, numerator and denominator

SUBFILE_TYPE, OLD_SUBFILE_TYPE, BITS, COMPRESSION, PHOTOMETRIC = 0x00FE, 0x00FF, 0x0102, 0x0103, 0x0106
STRIPS, SAMPLES, ROWS, STRIP_BYTES, PLANAR = 0x0111, 0x0115, 0x0116, 0x0117, 0x011C
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 0x0142, 0x0143, 0x0144, 0x0145
INK_SET, INKS, EXTRA_SAMPLES, SAMPLE_FORMAT = 0x014C, 0x014E, 0x0152, 0x0153
COEFFICIENTS, SUBSAMPLING, REFERENCE = 0x0211, 0x0212, 0x0214
NONE, DEFLATE = 1, 8

_LETTERS = {SHORT: "H", LONG: "I", RATIONAL: "I"}


@dataclass(frozen=True)
class Page:
    """pieces: coded strips or tiles. tags: beyond those of its size, samples and pieces, which they may replace."""

    pieces: Sequence[bytes]
    samples: int = 3
    bits: int = 8
    photometric: int = 2
    compression: int = NONE
    size_px: tuple[int, int] = (WIDTH_PX, HEIGHT_PX)
    tile_px: tuple[int, int] | None = None
    tags: Tags = field(default_factory=dict)


def quadrants(*pixels: bytes, size_px: tuple[int, int] = (WIDTH_PX, HEIGHT_PX)) -> bytes:
    """Pixels by lines from the top, those of the four corners given: top left, top right, bottom left, bottom right."""
    width, height = size_px[0] // 2, size_px[1] // 2
    top, bottom = (pixels[at] * width + pixels[at + 1] * width for at in (0, 2))
    return top * height + bottom * height


def plain(pixels: bytes, **options: Any) -> Page:
    """A page of one strip."""
    return Page([pixels], **options)


def deflated(*pieces: bytes, **options: Any) -> Page:
    return Page([zlib.compress(piece) for piece in pieces], compression=DEFLATE, **options)


def tiff(*pages: Page, order: str = "<", behind: int = 0) -> bytes:
    """A file of these pages. behind: offset of a further page, whatever may lie there."""
    data = bytearray({"<": b"II*\0", ">": b"MM\0*"}[order] + bytes(4))
    link_at = 4
    for page in pages:
        places = []
        for piece in page.pieces:
            places.append(len(data))
            data += piece + b"\0" * (len(piece) % 2)
        entries = b""
        tags = {**_usual(page, places), **page.tags}
        for tag, (kind, numbers) in sorted(tags.items()):
            packed = struct.pack(f"{order}{len(numbers)}{_LETTERS[kind]}", *numbers)
            count = len(numbers) // (2 if kind == RATIONAL else 1)
            if len(packed) > 4:
                place = struct.pack(order + "I", len(data))
                data += packed + b"\0" * (len(packed) % 2)
            else:
                place = packed.ljust(4, b"\0")
            entries += struct.pack(order + "HHI", tag, kind, count) + place
        data[link_at : link_at + 4] = struct.pack(order + "I", len(data))
        data += struct.pack(order + "H", len(tags)) + entries
        link_at = len(data)
        data += struct.pack(order + "I", behind)
    return bytes(data)


def _usual(page: Page, places: list[int]) -> Tags:
    sizes = [len(piece) for piece in page.pieces]
    tags: Tags = {
        0x0100: (LONG, [page.size_px[0]]),
        0x0101: (LONG, [page.size_px[1]]),
        BITS: (SHORT, [page.bits] * page.samples),
        COMPRESSION: (SHORT, [page.compression]),
        PHOTOMETRIC: (SHORT, [page.photometric]),
        SAMPLES: (SHORT, [page.samples]),
    }
    if page.tile_px:
        tiles: Tags = {TILE_WIDTH: (SHORT, [page.tile_px[0]]), TILE_HEIGHT: (SHORT, [page.tile_px[1]])}
        return {**tags, **tiles, TILES: (LONG, places), TILE_BYTES: (LONG, sizes)}
    rows = -(-page.size_px[1] // len(page.pieces))
    return {**tags, STRIPS: (LONG, places), STRIP_BYTES: (LONG, sizes), ROWS: (LONG, [rows])}
