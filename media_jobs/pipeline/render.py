"""The cascade: decode once, shrink step by step, encode each step."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyvips

from media_jobs.pipeline.decode import decode, shrink
from media_jobs.pipeline.guard import guard
from media_jobs.pipeline.loaders import ENGINE
from media_jobs.pipeline.metadata import read_metadata
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.recipes import Fit, Format, Preset, Rendition
from media_jobs.pipeline.values import Output, Rendered, Request

#: Progressive JPEG is 5 % smaller and shows early, but for the largest renditions costs a third of the render's time.
_PROGRESSIVE_UP_TO_PIXELS = 1_100_000
#: Past 2 an encoder of WebP takes twice as long for 2 % fewer bytes.
_WEBP_EFFORT = 2
_WHITE = 255


@dataclass(frozen=True, slots=True)
class Step:
    """A rendition, the size of the whole picture at its scale, and of the square to cut out of that, if any."""

    rendition: Rendition
    size_px: tuple[int, int]
    square_px: int | None = None


def render(request: Request, on_output: Callable[[int, int], None]) -> Rendered:
    """Make every rendition of the preset, decoding the source once. `on_output` hears how many of how many are done.

    Raises ImageRefused. Anything else is a fault of ours or of the machine.
    """
    found = probe(Path(request.source), request.limits)
    steps = plan(found.displayed_px, request.preset)
    guard(found, request.limits, largest_px=steps[0].size_px)
    metadata = read_metadata(found, request.keep)
    picture = decode(found, steps[0].size_px, request.limits)
    outputs: dict[str, Output] = {}
    for step, image in cascade(picture, steps):
        outputs[step.rendition.name] = write(image, step.rendition, request)
        on_output(len(outputs), len(steps))
    width_px, height_px = found.displayed_px
    in_order = tuple(outputs[rendition.name] for rendition in request.preset.renditions)
    return Rendered(found.format, width_px, height_px, found.orientation, metadata, in_order, ENGINE)


def plan(size_px: tuple[int, int], preset: Preset) -> list[Step]:
    """The renditions of a picture of `size_px`, largest first; none is larger than the picture."""
    steps = [_step(size_px, rendition) for rendition in preset.renditions]
    return sorted(steps, key=lambda step: step.size_px, reverse=True)


def _step(size_px: tuple[int, int], rendition: Rendition) -> Step:
    covers = rendition.fit is Fit.COVER
    reference_px = min(size_px) if covers else max(size_px)
    scale = min(1.0, rendition.side_px / reference_px)
    width, height = (max(1, round(side * scale)) for side in size_px)
    return Step(rendition, (width, height), min(width, height) if covers else None)


def cascade(picture: pyvips.Image, steps: list[Step]) -> Iterator[tuple[Step, pyvips.Image]]:
    """Each step's image, made from that of the step before."""
    for step in steps:
        picture = shrink(picture, step.size_px).copy_memory()
        yield step, _centre(picture, step.square_px) if step.square_px else picture


def _centre(image: pyvips.Image, side_px: int) -> pyvips.Image:
    return image.crop((image.width - side_px) // 2, (image.height - side_px) // 2, side_px, side_px)


def write(image: pyvips.Image, rendition: Rendition, request: Request) -> Output:
    """Encode into the request's folder: the pixels and nothing else."""
    path = Path(request.into) / rendition.file_name
    if rendition.format is Format.WEBP:
        image.webpsave(str(path), Q=rendition.quality, effort=_WEBP_EFFORT, keep="none")
    else:
        opaque = image.flatten(background=_WHITE) if image.hasalpha() else image
        progressive = image.width * image.height <= _PROGRESSIVE_UP_TO_PIXELS
        opaque.jpegsave(str(path), Q=rendition.quality, interlace=progressive, keep="none")
    return Output(
        name=rendition.name,
        file=path.name,
        digest=rendition.digest(source_sha256=request.source_sha256, engine=ENGINE),
        width_px=image.width,
        height_px=image.height,
        size_bytes=path.stat().st_size,
        sha256=_sha256(path),
        content_type=rendition.format.content_type,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
