"""Pictures that tell their colours otherwise than by an ICC profile, and what Chromium shows of them. Stdlib only."""

import struct
import zlib
from collections.abc import Sequence

from media_jobs.pipeline.formats.png import SIGNATURE, chunk
from tests.formats import facts, profiles

Colour = tuple[int, ...]
Chunk = tuple[bytes, bytes]

#: One pixel each in the files of `PNGS` of three bands.
SAMPLES: tuple[Colour, ...] = ((200, 50, 50), (30, 160, 40), (128, 128, 128), (10, 10, 10), (255, 0, 0))
GREY_SAMPLES: tuple[Colour, ...] = ((128,), (10,), (200,))
_BANDS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
ADOBE_RGB = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
DISPLAY_P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def png(
    pixels: Sequence[Colour],
    *chunks: Chunk,
    kind: int = 2,
    bits: int = 8,
    palette: bytes = b"",
    later: Sequence[Chunk] = (),
    height_px: int = 1,
) -> bytes:
    """Rows of these pixels. kind: PNG's colour type. chunks: before the palette. later: behind the pixels."""
    assert all(len(pixel) == _BANDS[kind] for pixel in pixels)
    header = struct.pack(">IIBBBBB", len(pixels), height_px, bits, kind, 0, 0, 0)
    row = b"\0" + b"".join(struct.pack(">H" if bits == 16 else "B", value) for pixel in pixels for value in pixel)
    listed = [(b"IHDR", header), *chunks, *([(b"PLTE", palette)] if palette else [])]
    listed += [(b"IDAT", zlib.compress(row * height_px)), *later, (b"IEND", b"")]
    return SIGNATURE + b"".join(chunk(*each) for each in listed)


def gama(value: float) -> Chunk:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(values: Sequence[float]) -> Chunk:
    """x and y of white, red, green and blue."""
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values))


def cicp(primaries: int, transfer: int, *, matrix: int = 0, full_range: int = 1) -> Chunk:
    return b"cICP", bytes([primaries, transfer, matrix, full_range])


def iccp(profile: bytes) -> Chunk:
    return b"iCCP", b"x\0\0" + zlib.compress(profile)


INTENT: Chunk = (b"sRGB", b"\0")
_ADOBE_ICC = iccp(profiles.rgb(profiles.ADOBE_RGB, gamma=2.2))


def _damaged(file: bytes, kind: bytes) -> bytes:
    """The file with a byte of a chunk changed, so that its checksum no longer fits."""
    at = file.index(kind) + 4
    return file[:at] + bytes([file[at] ^ 255]) + file[at + 1 :]


_AS_STORED = SAMPLES
_LINEAR: tuple[Colour, ...] = ((229, 122, 122), (96, 208, 110), (188, 188, 188), (56, 56, 56), (255, 0, 0))
_P3: tuple[Colour, ...] = ((218, 24, 40), (0, 163, 0), (128, 128, 128), (10, 10, 10), (255, 0, 0))
_ADOBE: tuple[Colour, ...] = ((232, 46, 46), (0, 161, 8), (129, 129, 129), (3, 3, 3), (255, 0, 0))
_TELEVISION: tuple[Colour, ...] = ((197, 39, 39), (18, 155, 28), (121, 121, 121), (1, 1, 1), (255, 0, 0))

#: Files, and their pixels as Chromium 156 shows them. A browser test asks the Chromium at hand.
PNGS: dict[str, tuple[bytes, tuple[Colour, ...]]] = {
    "nothing said": (png(SAMPLES), _AS_STORED),
    # cICP
    "cICP: Display P3": (png(SAMPLES, cicp(12, 13)), _P3),
    "cICP: sRGB": (png(SAMPLES, cicp(1, 13)), _AS_STORED),
    "cICP: BT.709": (png(SAMPLES, cicp(1, 1)), _TELEVISION),
    "cICP: BT.2020": (
        png(SAMPLES, cicp(9, 14)),
        ((245, 0, 26), (0, 164, 0), (121, 121, 121), (1, 1, 1), (255, 0, 0)),
    ),
    "cICP: linear": (png(SAMPLES, cicp(1, 8)), _LINEAR),
    "cICP: 240M": (
        png(SAMPLES, cicp(7, 7)),
        ((201, 74, 67), (62, 168, 57), (141, 141, 141), (25, 25, 25), (248, 36, 0)),
    ),
    "cICP: cinema": (
        png(SAMPLES, cicp(11, 17)),
        ((213, 0, 17), (0, 157, 0), (118, 118, 118), (1, 1, 1), (255, 0, 0)),
    ),
    "cICP: 16 bits": (png([(200 * 257, 50 * 257, 50 * 257)], cicp(12, 13), bits=16), ((218, 24, 40),)),
    "cICP of grey": (png(GREY_SAMPLES, cicp(12, 13), kind=0), ((128,) * 3, (10,) * 3, (200,) * 3)),
    "cICP, unknown: gAMA": (png(SAMPLES, cicp(2, 2), gama(1)), _LINEAR),
    "cICP, unknown primaries": (png(SAMPLES, cicp(2, 13)), _AS_STORED),
    "cICP, unknown curve": (png(SAMPLES, cicp(12, 2)), _AS_STORED),
    "cICP, narrow: gAMA": (png(SAMPLES, cicp(12, 13, full_range=0), gama(1)), _LINEAR),
    "cICP, too long": (png(SAMPLES, (b"cICP", bytes([12, 13, 0, 1, 0]))), _AS_STORED),
    "cICP, damaged": (_damaged(png(SAMPLES, cicp(12, 13)), b"cICP"), _AS_STORED),
    "cICP twice": (png(SAMPLES, cicp(12, 13), cicp(1, 13)), _P3),
    "cICP behind the pixels": (png(SAMPLES, later=[cicp(12, 13)]), _AS_STORED),
    # precedence
    "cICP before iCCP": (png(SAMPLES, _ADOBE_ICC, cicp(12, 13)), _P3),
    "cICP of sRGB before iCCP": (png(SAMPLES, _ADOBE_ICC, cicp(1, 13)), _AS_STORED),
    "cICP before sRGB": (png(SAMPLES, INTENT, cicp(12, 13)), _P3),
    "cICP before gAMA": (png(SAMPLES, gama(1), cicp(12, 13)), _P3),
    "iCCP": (png(SAMPLES, _ADOBE_ICC), _ADOBE),
    "iCCP before sRGB": (png(SAMPLES, INTENT, _ADOBE_ICC), _ADOBE),
    "iCCP before gAMA": (png(SAMPLES, gama(1), _ADOBE_ICC), _ADOBE),
    "iCCP where cICP is unknown": (png(SAMPLES, _ADOBE_ICC, cicp(2, 2)), _ADOBE),
    "iCCP, garbage: gAMA": (png(SAMPLES, iccp(b"garbage" * 40), gama(1)), _LINEAR),
    "iCCP, not packed: gAMA": (png(SAMPLES, (b"iCCP", b"x\0\0nothing"), gama(1)), _LINEAR),
    "iCCP, garbage: sRGB": (png(SAMPLES, iccp(b"garbage" * 40), INTENT, gama(1)), _AS_STORED),
    "sRGB before gAMA and cHRM": (png(SAMPLES, gama(1), chrm(ADOBE_RGB), INTENT), _AS_STORED),
    "sRGB, impossible: gAMA": (png(SAMPLES, (b"sRGB", b"\4"), gama(1)), _LINEAR),
    "sRGB, empty: gAMA": (png(SAMPLES, (b"sRGB", b""), gama(1)), _LINEAR),
    # gAMA and cHRM
    "gAMA: linear": (png(SAMPLES, gama(1)), _LINEAR),
    "gAMA: 1.8": (
        png(SAMPLES, gama(1 / 1.8)),
        ((210, 65, 65), (40, 176, 53), (146, 146, 146), (10, 10, 10), (255, 0, 0)),
    ),
    "gAMA: about sRGB's": (png(SAMPLES, gama(0.45455)), _AS_STORED),
    "gAMA: less about sRGB's": (png(SAMPLES, gama(0.435)), _AS_STORED),
    "gAMA: no longer sRGB's": (
        png(SAMPLES, gama(0.42)),
        ((197, 39, 39), (18, 155, 29), (122, 122, 122), (1, 1, 1), (255, 0, 0)),
    ),
    "gAMA with cHRM of sRGB": (
        png(SAMPLES, gama(0.45455), chrm(SRGB)),
        ((201, 46, 46), (24, 161, 35), (129, 129, 129), (3, 3, 3), (255, 0, 0)),
    ),
    "gAMA with cHRM of Adobe RGB": (png(SAMPLES, gama(0.45455), chrm(ADOBE_RGB)), _ADOBE),
    "gAMA with cHRM of Display P3": (
        png(SAMPLES, chrm(DISPLAY_P3), gama(1)),
        ((245, 115, 119), (9, 211, 97), (188, 188, 188), (56, 56, 56), (255, 0, 0)),
    ),
    "cHRM alone": (png(SAMPLES, chrm(ADOBE_RGB)), _AS_STORED),
    "cHRM, zeros": (png(SAMPLES, gama(1), chrm([0] * 8)), _AS_STORED),
    "cHRM, one point": (png(SAMPLES, gama(1), chrm([0.3127, 0.329, *[0.3] * 6])), _AS_STORED),
    "gAMA: zero": (png(SAMPLES, gama(0)), _AS_STORED),
    "gAMA: huge": (
        png(SAMPLES, (b"gAMA", b"\x7f\xff\xff\xff")),
        ((255,) * 3, (255,) * 3, (255,) * 3, (255,) * 3, (255, 0, 0)),
    ),
    "gAMA: tiny": (png(SAMPLES, gama(0.00001)), ((0,) * 3, (0,) * 3, (0,) * 3, (0,) * 3, (255, 0, 0))),
    "gAMA: too short": (png(SAMPLES, (b"gAMA", b"\0\0")), _AS_STORED),
    "gAMA, damaged": (_damaged(png(SAMPLES, gama(1)), b"gAMA"), _AS_STORED),
    "gAMA twice": (png(SAMPLES, gama(1), gama(0.45455)), _LINEAR),
    "gAMA behind the pixels": (png(SAMPLES, later=[gama(1)]), _AS_STORED),
    "gAMA of grey": (png(GREY_SAMPLES, gama(1), kind=0), ((188,) * 3, (56,) * 3, (229,) * 3)),
    "gAMA and cHRM of grey": (png(GREY_SAMPLES, gama(1), chrm(ADOBE_RGB), kind=0), ((188,) * 3, (56,) * 3, (229,) * 3)),
    "gAMA: 16 bits": (png([(0x8000, 0x8000, 0x8000)], gama(1), bits=16), ((188, 188, 188),)),
    "gAMA of a palette": (
        png([(0,), (1,)], gama(1), kind=3, palette=bytes([128, 50, 10, 10, 10, 10])),
        ((188, 122, 56), (56, 56, 56)),
    ),
    "gAMA beside transparency": (
        png([(128, 50, 10, 128), (10, 10, 10, 255)], gama(1), kind=6),
        ((188, 122, 56, 128), (56, 56, 56, 255)),
    ),
}


# --- Adobe RGB by EXIF ----------------------------------------------------------------------------


def interoperability(index: str | None, *, space: int | None = 0xFFFF, order: str = "<", note: bytes = b"") -> bytes:
    """EXIF that says so much of colours. index: None leaves the directory out, as `space` does for its tag."""
    entries = [(0x927C, 7, len(note), note)] if note else []
    entries += [] if space is None else [(0xA001, 3, 1, struct.pack(order + "HH", space, 0))]
    detail_at = 8 + 2 + 12 + 4
    interop_at = detail_at + 2 + 12 * (len(entries) + (index is not None)) + 4
    note_at = interop_at + (0 if index is None else 2 + 12 + 4)
    if index is not None:
        entries += [(0xA005, 4, 1, struct.pack(order + "I", interop_at))]
    detail = struct.pack(order + "H", len(entries))
    for tag, kind, count, value in sorted(entries):
        place = value if len(value) <= 4 else struct.pack(order + "I", note_at)
        detail += struct.pack(order + "HHI", tag, kind, count) + place
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    main = struct.pack(order + "HHHII", 1, 0x8769, 4, 1, detail_at) + bytes(4)
    interop = b""
    if index is not None:
        interop = struct.pack(order + "HHHI4s", 1, 1, 2, 4, index.encode() + b"\0") + bytes(4)
    return head + main + detail + bytes(4) + interop + note


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    return jpeg[:2] + facts.segment(0xE1, b"Exif\0\0" + exif) + jpeg[2:]
