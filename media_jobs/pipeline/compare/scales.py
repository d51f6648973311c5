"""How large pictures are when they are compared. All are looked at smaller than they are.

At half its size a picture has lost what encoders differ in by right: the rounding of single pixels, colour stored at
half the resolution, and the last sharpness or softness of a filter. What is wrong with a picture is still there.
"""

from dataclasses import dataclass

#: Of what is searched for fine detail: 500 by 375, what libjpeg makes of twelve megapixels while it decodes.
_FINE_PIXELS = 187_500
#: The longer side of what is compared as a whole, of which SSIM takes 1.5 ms.
_WHOLE_PX = 256
#: … and, at most, of what is compared by colour: ΔE2000 takes 150 ns a pixel.
_COLOUR_PX = 64

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scales:
    """fine_px: where fine detail is looked for. whole_px: where structure is, and colours `colour_by` times smaller."""

    fine_px: Size
    whole_px: Size

    @property
    def colour_by(self) -> int:
        return max(1, -(-max(self.whole_px) // _COLOUR_PX))


def scales(original_px: Size, shown_px: list[Size]) -> Scales:
    """For pictures of the sizes `shown_px`, upright or not, of one original. The smallest of all decides."""
    pixels = min(_area(original_px), *map(_area, shown_px)) / 4
    fine = _scaled(original_px, (min(pixels, _FINE_PIXELS) / _area(original_px)) ** 0.5)
    return Scales(fine, _scaled(fine, min(1.0, _WHOLE_PX / max(fine))))


def _area(size: Size) -> int:
    return size[0] * size[1]


def _scaled(size: Size, by: float) -> Size:
    width, height = (max(1, round(side * by)) for side in size)
    return width, height
