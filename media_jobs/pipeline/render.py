"""The cascade: decode once, shrink step by step, encode each step."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyvips

from media_jobs.pipeline.decode import decode, shrink
from media_jobs.pipeline.encode import encode
from media_jobs.pipeline.geometry import Step, plan
from media_jobs.pipeline.guard import guard
from media_jobs.pipeline.placeholder import placeholder
from media_jobs.pipeline.privacy import facts
from media_jobs.pipeline.privacy.receipt import receipt
from media_jobs.pipeline.privacy.scan import scan
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.readers.vips import ENGINE
from media_jobs.pipeline.values import Output, Rendered, Request, Rights


def render(request: Request, on_output: Callable[[int, int], None]) -> Rendered:
    """Make every rendition of the preset, decoding the source once. `on_output` hears how many of how many are done.

    Raises ImageRefused. Anything else is a fault of ours or of the machine.
    """
    found = probe(Path(request.source), request.limits)
    steps = plan(found.displayed_px, request.preset)
    guard(found, request.limits, largest_px=steps[0].size_px)
    told = facts.read(found)
    picture = decode(found, steps[0].size_px, request.limits)
    outputs: dict[str, Output] = {}
    carried: dict[str, tuple[str, ...]] = {}
    for step, image in cascade(picture, steps):
        output, carries = write(image, step, request, source=found.format, rights=told.rights)
        outputs[output.name], carried[output.name] = output, carries
        on_output(len(outputs), len(steps))
    width_px, height_px = found.displayed_px
    return Rendered(
        format=found.format,
        width_px=width_px,
        height_px=height_px,
        orientation=found.orientation,
        metadata=facts.metadata(told, found, request.keep),
        rights=told.rights,
        receipt=receipt(told, request.keep, carried),
        placeholder=placeholder(image),
        outputs=tuple(outputs[rendition.name] for rendition in request.preset.renditions),
        engine=ENGINE,
    )


def cascade(picture: pyvips.Image, steps: list[Step]) -> Iterator[tuple[Step, pyvips.Image]]:
    """Each step's image, made from that of the step before."""
    for step in steps:
        picture = shrink(picture, step.size_px).copy_memory()
        yield step, _centre(picture, step.square_px) if step.square_px else picture


def _centre(image: pyvips.Image, side_px: int) -> pyvips.Image:
    return image.crop((image.width - side_px) // 2, (image.height - side_px) // 2, side_px, side_px)


def write(
    image: pyvips.Image, step: Step, request: Request, *, source: str, rights: Rights
) -> tuple[Output, tuple[str, ...]]:
    """Encode into the request's folder; also what the finished file carries besides its pixels."""
    rendition = step.rendition
    encoded_as = rendition.format.resolved(source=source, transparent=image.hasalpha())
    data = encode(image, rendition, encoded_as, rights)
    carries = scan(data, encoded_as)
    path = Path(request.into) / rendition.file_name(encoded_as)
    path.write_bytes(data)
    output = Output(
        name=rendition.name,
        format=encoded_as,
        file=path.name,
        digest=request.digest(rendition, rights=rights, engine=ENGINE),
        width_px=image.width,
        height_px=image.height,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    return output, carries
