"""How the chunks of a PNG tell its colours, in the order of PNG 3, section 12.9, as browsers read it. Stdlib only.

cICP, then the ICC profile, then sRGB, then gAMA with cHRM. A chunk that is damaged, reserved or behind the pixels is
none. cHRM alone says nothing, and gAMA alone that is about that of sRGB means sRGB.
"""

import zlib
from contextlib import suppress

from media_jobs.pipeline.formats import png
from media_jobs.pipeline.formats.colours import cicp
from media_jobs.pipeline.formats.colours.icc import SRGB, SRGB_PRIMARIES, Chromaticities, Colours, Curve
from media_jobs.pipeline.formats.common import Bytes, Damaged

_SIZES = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
_INTENTS = 4
_UNIT = 100_000
#: So far from the gamma that stands for sRGB, gAMA alone still means sRGB. Chromium's figures.
_ABOUT_SRGB, _TOLERANCE = 2.2, 0.05
_ICC_HEAD_BYTES = 128
_ICC_MARK = b"acsp"


def told(data: Bytes, icc: bytes) -> Colours | None:
    """What the chunks say; None where the ICC profile counts, or nothing is said, or the colours are HDR.

    icc: the profile that the decoder found, or nothing.
    """
    chunks = _chunks(data)
    if chunk := chunks.get(b"cICP"):
        primaries, transfer, matrix, full_range = chunk
        if (matrix, full_range) == (0, 1):
            if cicp.hdr(primaries, transfer):
                return None
            if colours := cicp.colours(primaries, transfer):
                return colours
    if is_icc(icc):
        return None
    return SRGB if chunks.get(b"sRGB", b"\xff")[0] < _INTENTS else _by_gamma(chunks)


def hdr(data: Bytes) -> str:
    """The name of the HDR curve that a PNG's cICP names; else empty."""
    primaries, transfer, *shape = _chunks(data).get(b"cICP", bytes(4))
    return cicp.hdr(primaries, transfer) if shape == [0, 1] else ""


def is_icc(profile: bytes) -> bool:
    """Whether it begins like an ICC profile."""
    return len(profile) > _ICC_HEAD_BYTES and profile[36:40] == _ICC_MARK


def _by_gamma(chunks: dict[bytes, bytes]) -> Colours | None:
    gamma = int.from_bytes(chunks.get(b"gAMA", b""), "big") / _UNIT
    if not gamma:
        return None
    if b"cHRM" not in chunks:
        about_srgb = abs(gamma * _ABOUT_SRGB - 1) < _TOLERANCE
        return SRGB if about_srgb else Colours(SRGB_PRIMARIES, Curve(1 / gamma))
    return Colours(_chromaticities(chunks[b"cHRM"]), Curve(1 / gamma))


def _chromaticities(chunk: bytes) -> Chromaticities:
    white_x, white_y, *primaries = (int.from_bytes(chunk[at : at + 4], "big") / _UNIT for at in range(0, 32, 4))
    red_x, red_y, green_x, green_y, blue_x, blue_y = primaries
    return red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y


def _chunks(data: Bytes) -> dict[bytes, bytes]:
    """The first whole one of each kind before the pixels; cICP before the palette, too."""
    found: dict[bytes, bytes] = {}
    palette = False
    with suppress(Damaged):
        for chunk in png.chunks(data):
            if chunk.kind == b"IDAT":
                break
            palette = palette or chunk.kind == b"PLTE"
            if chunk.kind not in _SIZES or (palette and chunk.kind == b"cICP"):
                continue
            content = bytes(data[chunk.start : min(chunk.end, chunk.start + _SIZES[chunk.kind] + 1)])
            checksum = int.from_bytes(data[chunk.end : chunk.end + 4], "big")
            if len(content) == _SIZES[chunk.kind] and zlib.crc32(chunk.kind + content) == checksum:
                found.setdefault(chunk.kind, content)
    return found
