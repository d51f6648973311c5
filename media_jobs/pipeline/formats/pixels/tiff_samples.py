"""What the samples of a TIFF's page mean, and which of its many variants nothing here can read. Stdlib only."""

from dataclasses import dataclass
from enum import StrEnum

from media_jobs import errors
from media_jobs.pipeline.formats import tiff
from media_jobs.pipeline.formats.pixels.tiff_page import Page

_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR = 0x0102, 0x0103, 0x0106, 0x0115, 0x011C
_TILE_WIDTH, _INK_SET, _INKS, _EXTRA, _FORMAT = 0x0142, 0x014C, 0x014E, 0x0152, 0x0153
_COEFFICIENTS, _SUBSAMPLING, _REFERENCE = 0x0211, 0x0212, 0x0214

#: Those that the decoder was built with. Of some others it makes black pictures, without an error.
_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32766, 32771, 32773, 32809, 32946, 34676, 34677, 50001})
_JPEG = 7
_NAMES = {
    6: "old-style JPEG",
    9: "JBIG",
    10: "JBIG",
    22610: "JPEG XR",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG, as in DNG",
    34925: "LZMA",
    34926: "ZSTD",
    34927: "WebP",
    34933: "PNG",
    34934: "JPEG XR",
    50000: "ZSTD",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, _INK, _YCBCR, _CIELAB, _ICCLAB = 0, 1, 2, 3, 4, 5, 6, 8, 9
_LOGLUV = 32845
#: By photometric interpretation, how many of a pixel's samples are its colour.
_COLOURS = {
    _WHITE_IS_ZERO: 1,
    _BLACK_IS_ZERO: 1,
    _RGB: 3,
    _PALETTE: 1,
    _MASK: 1,
    _INK: 4,
    _YCBCR: 3,
    _CIELAB: 3,
    _ICCLAB: 3,
    _LOGLUV: 3,
}
#: Where a sample may be negative, or stand for that.
_OPPONENT = {_YCBCR: "YCbCr", _CIELAB: "Lab", _ICCLAB: "Lab"}
_BT_601 = (0.299, 0.587, 0.114)
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
_CMYK_INKS, _OTHER_INKS = 4, 2
_SEPARATE = 2
_SHORT = 3
_INTEGER_BITS, _FLOAT_BITS = frozenset({1, 2, 4, 8, 16, 32}), frozenset({16, 24, 32})
_UNSIGNED, _SIGNED, _FLOAT, _ANY = 1, 2, 3, 4
_PREMULTIPLIED, _STRAIGHT = 1, 2


class Colours(StrEnum):
    """What the decoder gives, and how it is to be understood."""

    PLAIN = "plain"  #: as the decoder says
    PADDED = "padded"  #: RGB with a band of its own making behind it
    YCBCR = "ycbcr"
    CIELAB = "cielab"  #: L from 0, a and b with a sign
    ICCLAB = "icclab"  #: all from 0


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a pixel.

    extras: how many there are beyond its colours, behind them. alpha: which of those, from 0, is its alpha, if any.
    is_told: whether the file calls it so; libvips divides colours by premultiplied alpha itself.
    coefficients: what red, green and blue contribute to luma. reference: black and white of each of Y, Cb and Cr.
    overwrites: places in the file, and bytes there, by which the decoder gives samples as they are stored.
    """

    colours: Colours = Colours.PLAIN
    extras: int = 0
    alpha: int | None = None
    is_told: bool = True
    coefficients: tuple[float, ...] = ()
    reference: tuple[float, ...] = ()
    overwrites: tuple[tuple[int, bytes], ...] = ()


#: Nothing but colours, which the decoder understands.
PLAIN = Samples()


def samples(page: Page) -> Samples:
    """What the page's samples mean. Raises UnsupportedFormat, by name, for what the decoder cannot read."""
    tags = page.tags
    if why := _unread(tags):
        raise errors.UnsupportedFormat(f"a TIFF {why}")
    photometric, count = tiff.number(tags, _PHOTOMETRIC, _RGB), tiff.number(tags, _SAMPLES, 1)
    extras = max(0, count - _COLOURS[photometric])
    meanings = (*tiff.numbers(tags, _EXTRA), *[0] * extras)[:extras]
    alpha = next((at for at, meaning in enumerate(meanings) if meaning in (_PREMULTIPLIED, _STRAIGHT)), None)
    is_told = _EXTRA in tags
    if extras == 1 and not is_told:
        alpha = 0
    colours = _colours(photometric, tags)
    return Samples(
        colours=colours,
        extras=extras,
        alpha=alpha,
        is_told=is_told,
        coefficients=_sensible(page.directory.rationals(_COEFFICIENTS), _BT_601),
        reference=_sensible(page.directory.rationals(_REFERENCE), _FULL_RANGE),
        overwrites=_stored_as_rgb(page) if colours is Colours.CIELAB else (),
    )


def _sensible(found: tuple[float, ...], usual: tuple[float, ...]) -> tuple[float, ...]:
    """What was found, if there is as much of it as usual, and none is nothing where that never is."""
    is_so = len(found) == len(usual) and all(value > 0 for value, other in zip(found, usual, strict=True) if other)
    return found if is_so else usual


def _colours(photometric: int, tags: dict[int, tiff.Value]) -> Colours:
    if photometric == _YCBCR and tiff.number(tags, _COMPRESSION, 1) != _JPEG:
        return Colours.YCBCR if tiff.numbers(tags, _SUBSAMPLING) == (1, 1) else Colours.PADDED
    if _is_float(tags):
        return Colours.PLAIN
    return {_CIELAB: Colours.CIELAB, _ICCLAB: Colours.ICCLAB}.get(photometric, Colours.PLAIN)


def _stored_as_rgb(page: Page) -> tuple[tuple[int, bytes], ...]:
    """libvips 8.18 fails on 8-bit CIELab, and takes alpha of 16 bits beside it for a number with a sign."""
    place = page.directory.place(_PHOTOMETRIC)
    order = page.directory.tiff.order
    return ((place, _RGB.to_bytes(2, "little" if order == "<" else "big")),) if place else ()


def _is_float(tags: dict[int, tiff.Value]) -> bool:
    return tiff.number(tags, _FORMAT, _UNSIGNED) == _FLOAT


def _unread(tags: dict[int, tiff.Value]) -> str:
    """What it is about the page that the decoder cannot read; empty where that is nothing."""
    compression = tiff.number(tags, _COMPRESSION, 1)
    if compression not in _COMPRESSIONS:
        return f"compressed by {_NAMES.get(compression, f'the unknown scheme {compression}')}"
    photometric, count = tiff.number(tags, _PHOTOMETRIC, _RGB), tiff.number(tags, _SAMPLES, 1)
    if photometric not in _COLOURS:
        return f"of the photometric interpretation {photometric}"
    if tiff.number(tags, _PLANAR) == _SEPARATE and _TILE_WIDTH in tags and count > 1:
        return "in tiles of separate planes"
    if photometric == _INK and _inks(tags, count) != _CMYK_INKS:
        return f"in {_inks(tags, count)} inks"
    return _unread_depth(tags, photometric, count)


def _inks(tags: dict[int, tiff.Value], count: int) -> int:
    """How many there are; four may be any four, but are CMYK as a rule."""
    if tiff.number(tags, _INK_SET) == _OTHER_INKS:
        return tiff.number(tags, _INKS, count)
    return min(count, _CMYK_INKS)


def _unread_depth(tags: dict[int, tiff.Value], photometric: int, count: int) -> str:
    depths = set(tiff.numbers(tags, _BITS)) or {1}
    bits, kind = min(depths), tiff.number(tags, _FORMAT, _UNSIGNED)
    if kind not in (_UNSIGNED, _SIGNED, _FLOAT, _ANY):
        return "of complex numbers"
    if len(depths) > 1:
        return "with samples of different depth"
    is_known = bits in (_FLOAT_BITS if kind == _FLOAT else _INTEGER_BITS)
    if not is_known or (bits < 8 and count > 1 and photometric != _PALETTE):
        return f"with {bits} bits a sample"
    if photometric in _OPPONENT and _PREMULTIPLIED in tiff.numbers(tags, _EXTRA):
        return f"in {_OPPONENT[photometric]} with premultiplied alpha"
    limited = {_YCBCR: (8,), _CIELAB: (8, 16, 32), _ICCLAB: (8, 16)}.get(photometric)
    if limited and (bits not in limited or (bits == 32 and kind != _FLOAT)):
        return f"in {_OPPONENT[photometric]} with {bits} bits a sample"
    return ""
