"""How large each rendition becomes, and what is cut out of it."""

from dataclasses import dataclass

from media_jobs.pipeline.recipes import Fit, Preset, Rendition


@dataclass(frozen=True, slots=True)
class Step:
    """A rendition, the size of the whole picture at its scale, and of the square to cut out of that, if any."""

    rendition: Rendition
    size_px: tuple[int, int]
    square_px: int | None = None


def plan(size_px: tuple[int, int], preset: Preset) -> list[Step]:
    """The renditions of a picture of `size_px`, largest first."""
    steps = [_step(size_px, rendition) for rendition in preset.renditions]
    return sorted(steps, key=lambda step: step.size_px, reverse=True)


def _step(size_px: tuple[int, int], rendition: Rendition) -> Step:
    reference_px = {Fit.INSIDE: max(size_px), Fit.WIDTH: size_px[0], Fit.COVER: min(size_px)}[rendition.fit]
    scale = rendition.side_px / reference_px
    if not rendition.enlarge:
        scale = min(1.0, scale)
    width, height = (max(1, round(side * scale)) for side in size_px)
    return Step(rendition, (width, height), min(width, height) if rendition.fit is Fit.COVER else None)
