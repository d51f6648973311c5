"""The transformations of a HEIF picture (ISO/IEC 23008-12): crops, rotations, mirrorings, in the file's own order.

They count after the size, wherever that is listed. Stdlib only.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from media_jobs.pipeline.formats.common import Damaged

#: What a crop consists of: width, height, and how far its centre lies to the right of the picture's and below it.
#: Each is a fraction, numerator first.
_CROP = struct.Struct(">IiIiiiii")
_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Step:
    """One transformation. turns: quarters of a full turn, counter-clockwise. mirrored: top and bottom change places
    ("down"), or left and right ("across"). crop: the numbers of a `clap` box; `at`: where in the file they stand.
    """

    turns: int = 0
    mirrored: str = ""
    crop: tuple[Fraction, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """What is to be cut out of a picture, in pixels from its left and top."""

    left: int
    top: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What becomes of a picture.

    width_px, height_px: of the whole picture, turned and mirrored. window: what all crops together leave of that.
    wide_open: for each crop where it stands in the file, and the bytes that make it one of the whole picture.
    """

    width_px: int
    height_px: int
    window: Window
    wide_open: tuple[tuple[int, bytes], ...] = ()

    @property
    def is_cropped(self) -> bool:
        return bool(self.wide_open)


def crop(content: bytes, at: int) -> Step:
    """A `clap` box. Raises Damaged."""
    if len(content) < _CROP.size:
        raise Damaged("a crop that breaks off")
    numbers = _CROP.unpack_from(content)
    if 0 in numbers[1::2]:
        raise Damaged("a crop that divides by nothing")
    return Step(crop=tuple(Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)), at=at)


def frame(size_px: tuple[int, int], steps: Iterable[Step]) -> Frame:
    """What `steps` make of a picture of `size_px`. Raises Damaged where a crop leaves nothing."""
    (width, height), window = size_px, Window(0, 0, *size_px)
    wide_open = []
    for step in steps:
        if step.crop:
            wide_open.append((step.at, _CROP.pack(width, 1, height, 1, 0, 1, 0, 1)))
            window = _cropped(window, step.crop)
        if step.mirrored == "across":
            window = _across(window, width)
        elif step.mirrored == "down":
            window = _down(window, height)
        for _ in range(step.turns):  # the right edge becomes the upper one
            right = width - window.left - window.width_px
            window = Window(window.top, right, window.height_px, window.width_px)
            width, height = height, width
    return Frame(width, height, window, tuple(wide_open))


def _across(window: Window, width: int) -> Window:
    return Window(width - window.left - window.width_px, window.top, window.width_px, window.height_px)


def _down(window: Window, height: int) -> Window:
    return Window(window.left, height - window.top - window.height_px, window.width_px, window.height_px)


def _cropped(window: Window, numbers: tuple[Fraction, ...]) -> Window:
    width, height, across, down = numbers
    left, right = _edges(window.width_px, width, across)
    top, bottom = _edges(window.height_px, height, down)
    return Window(window.left + left, window.top + top, right - left, bottom - top)


def _edges(side: int, wanted: Fraction, offset: Fraction) -> tuple[int, int]:
    """First and last pixel but one of a crop around a centre, rounded as libheif does; what overhangs is cut off."""
    first = floor(offset + Fraction(side - 1, 2) - (wanted - 1) / 2)
    last = first + floor(wanted + _HALF)
    first, last = max(0, first), min(side, last)
    if first >= last:
        raise Damaged("a crop that leaves nothing")
    return first, last
