"""Plans how large each rendition becomes, and what is cut out of it."""

from dataclasses import dataclass, replace

from media_jobs.pipeline.recipes import LARGEST_SIDE_PX, Crop, Fit, Format, Preset, Rendition
from media_jobs.pipeline.values import Focus

_MIDDLE = Focus(0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Step:
    """A rendition, the size of the whole picture at its scale, and of the square to cut out of that, if any.

    enlarges: it is made from the decoded picture; every other step can be made from the one before it.
    """

    rendition: Rendition
    size_px: tuple[int, int]
    square_px: int | None = None
    enlarges: bool = False

    def without_names(self, format: Format) -> "Step":
        """What of the step decides the bytes of its output, with `format` for the resolved one.

        Steps of one picture that are equal in this come out alike, whatever they are called and whatever size they
        asked for.
        """
        square_px = None if self.size_px == (self.square_px, self.square_px) else self.square_px
        decisive = replace(self.rendition, name="any", side_px=1, fit=Fit.INSIDE, format=format, enlarge=False)
        if square_px is None:  # nothing is cut
            decisive = replace(decisive, crop=Crop.CENTRE)
        return replace(self, rendition=decisive, square_px=square_px)


def plan(size_px: tuple[int, int], preset: Preset) -> list[Step]:
    """The renditions of a picture of `size_px`, largest first."""
    steps = [_step(size_px, rendition) for rendition in preset.renditions]
    return sorted(steps, key=lambda step: step.size_px, reverse=True)


def decoded_px(size_px: tuple[int, int], steps: list[Step]) -> tuple[int, int]:
    """How large a picture of `size_px` must be decoded for these steps: as the largest, but never enlarged."""
    width, height = steps[0].size_px
    return min(width, size_px[0]), min(height, size_px[1])


def square_at(size_px: tuple[int, int], square_px: int, focus: Focus | None = None) -> tuple[int, int]:
    """Left and top of a square centred on `focus`, or in the middle; pushed back inside where it would stick out."""
    focus = focus or _MIDDLE
    left, top = (
        min(max(0, int(share * side - square_px / 2)), side - square_px)
        for share, side in zip((focus.x, focus.y), size_px, strict=True)
    )
    return left, top


def _step(size_px: tuple[int, int], rendition: Rendition) -> Step:
    reference_px = {Fit.INSIDE: max(size_px), Fit.WIDTH: size_px[0], Fit.COVER: min(size_px)}[rendition.fit]
    scale = min(rendition.side_px / reference_px, _largest_scale(size_px, rendition))
    width, height = (max(1, round(side * scale)) for side in size_px)
    square_px = min(width, height) if rendition.fit is Fit.COVER else None
    return Step(rendition, (width, height), square_px, enlarges=scale > 1)


def _largest_scale(size_px: tuple[int, int], rendition: Rendition) -> float:
    fitting = LARGEST_SIDE_PX / max(size_px)
    if rendition.fit is Fit.COVER:  # a square is cut out, so a long picture is no obstacle, unless it has to grow
        fitting = max(1.0, fitting)
    return fitting if rendition.enlarge else min(1.0, fitting)
