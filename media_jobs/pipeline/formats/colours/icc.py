"""Writes ICC profiles for colours that a file tells in another way: by chromaticities and a curve. Stdlib only."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

Matrix = Sequence[Sequence[float]]

#: The white under which profiles state colours.
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_LARGEST = 32_767.0  #: that a fixed-point number of a profile can hold
_SMALLEST = 1 / 65_536
_FLAT = 1e-9  #: three primaries that span less than this are no colour space


@dataclass(frozen=True, slots=True)
class Curve:
    """From a sample, 0 to 1, to light: (a·x + b)^g where x is d or more, else c·x."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


#: x and y of red, green, blue and white.
Chromaticities = tuple[float, float, float, float, float, float, float, float]

SRGB_CURVE = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_D65 = (0.3127, 0.3290)
SRGB_PRIMARIES: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
DISPLAY_P3_PRIMARIES: Chromaticities = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, *_D65)
ADOBE_RGB_PRIMARIES: Chromaticities = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *_D65)


@dataclass(frozen=True, slots=True)
class Colours:
    """What the samples of a picture mean."""

    primaries: Chromaticities
    curve: Curve


SRGB = Colours(SRGB_PRIMARIES, SRGB_CURVE)
ADOBE_RGB = Colours(ADOBE_RGB_PRIMARIES, Curve(563 / 256))


@lru_cache(maxsize=32)
def profile(colours: Colours, *, grey: bool) -> bytes:
    """An ICC profile, version 4; empty where the colours are sRGB's, or impossible. Grey has no primaries."""
    if colours.curve == SRGB_CURVE and (grey or colours.primaries == SRGB_PRIMARIES):
        return b""
    curve = _curve(colours.curve)
    if grey:
        return _written(b"GRAY", {b"kTRC": curve})
    matrix = _to_d50(colours.primaries)
    if matrix is None:
        return b""
    columns = (_xyz(column) for column in zip(*matrix, strict=True))
    return _written(
        b"RGB ",
        dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True))
        | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    )


def _to_d50(primaries: Chromaticities) -> Matrix | None:
    """From linear red, green and blue to XYZ under D50; None where the chromaticities make no colour space."""
    red, green, blue, white = (primaries[at : at + 2] for at in (0, 2, 4, 6))
    if white[1] <= 0:
        return None
    corners = _transposed([(x, y, 1 - x - y) for x, y in (red, green, blue)])
    white_xyz = (white[0] / white[1], 1.0, (1 - white[0] - white[1]) / white[1])
    inverse, cone_white = _inverse(corners), _times(_BRADFORD, white_xyz)
    back = _inverse(_BRADFORD)
    if inverse is None or back is None or not all(cone_white):
        return None
    light = _times(inverse, white_xyz)
    scaled = tuple(tuple(value * light[at] for at, value in enumerate(row)) for row in corners)
    gains = [to / here for to, here in zip(_times(_BRADFORD, _D50), cone_white, strict=True)]
    adapted = _product(back, [[gain * value for value in row] for gain, row in zip(gains, _BRADFORD, strict=True)])
    matrix = _product(adapted, scaled)
    return matrix if all(abs(value) < _LARGEST for row in matrix for value in row) else None


def _times(matrix: Matrix, vector: Sequence[float]) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _product(one: Matrix, other: Matrix) -> Matrix:
    return _transposed([_times(one, column) for column in _transposed(other)])


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _inverse(matrix: Matrix) -> Matrix | None:
    """Of three by three; None where there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    adjugate = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0]
    if abs(determinant) < _FLAT:
        return None
    return tuple(tuple(value / determinant for value in row) for row in adjugate)


# --- how profiles are written ---------------------------------------------------------------------


def _written(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _text("colours"), b"cprt": _text("no copyright"), b"wtpt": _xyz(_D50), **tags}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data.ljust(-(-len(data) // 4) * 4, b"\0")
    head = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"", 0x04200000, b"mntr", space, b"XYZ ", b"", b"acsp")
    return head.ljust(68, b"\0") + b"".join(map(_fixed, _D50)) + bytes(48) + table + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(max(-_LARGEST, min(_LARGEST, value)) * 65_536))


def _xyz(value: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, value))


def _curve(curve: Curve) -> bytes:
    exponent = max(curve.g, _SMALLEST)
    if curve == Curve(curve.g):
        return b"para\0\0\0\0" + struct.pack(">HH", 0, 0) + _fixed(exponent)
    numbers = (exponent, curve.a, curve.b, curve.c, curve.d)
    return b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, numbers))


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data
