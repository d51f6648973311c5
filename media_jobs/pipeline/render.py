"""The cascade: decode once, shrink step by step, encode each step."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyvips

from media_jobs import errors
from media_jobs.pipeline.colour import without_idle_alpha
from media_jobs.pipeline.decode import decode, shrink
from media_jobs.pipeline.encode import encode, working_bytes
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.geometry import Step, decoded_px, plan, square_at
from media_jobs.pipeline.guard import guard
from media_jobs.pipeline.placeholder import placeholder
from media_jobs.pipeline.privacy import facts
from media_jobs.pipeline.privacy.scan import scan
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.readers.vips import ENGINE
from media_jobs.pipeline.recipes import Crop, Format
from media_jobs.pipeline.values import Focus, Output, Rendered, Request, Rights


def render(request: Request, on_output: Callable[[int, int], None] = lambda done, of: None) -> Rendered:
    """Make every rendition of the preset, decoding the source once. `on_output` hears how many of how many are done.

    Raises ImageRefused. Anything else is a fault of ours or of the machine.
    """
    found, steps, extracted, picture = _decoded(request)
    shown_px = found.rotated_px(request.overrides.rotation)
    outputs: dict[str, Output] = {}
    carried: dict[str, tuple[str, ...]] = {}
    writer = Writer(request, source=found.format, rights=extracted.rights)
    for step, image in cascade(picture, steps):
        output, carries = writer.write(image, step)
        outputs[output.name], carried[output.name] = output, carries
        on_output(len(outputs), len(steps))
    return Rendered(
        format=found.format,
        width_px=shown_px[0],
        height_px=shown_px[1],
        orientation=found.orientation,
        metadata=facts.metadata(extracted, found, request.keep),
        rights=extracted.rights,
        receipt=facts.receipt(extracted, request.keep, carried),
        placeholder=placeholder(image),
        outputs=tuple(outputs[rendition.name] for rendition in request.preset.renditions),
        engine=ENGINE,
    )


def _decoded(request: Request, preview: int = 0) -> tuple[Found, list[Step], facts.Extracted, pyvips.Image]:
    """The header, what is to be made, the metadata, and the picture.

    preview: which one of a raw file, counted from the largest. Where that turns out to be damaged the next one is
    taken; if none is whole, the first one's damage is the reason.
    """
    limits, rotation = request.limits, request.overrides.rotation
    with probe(Path(request.source), limits, preview=preview) as found:
        shown_px = found.rotated_px(rotation)
        steps = plan(shown_px, request.preset)
        guard(found, limits, largest_px=steps[0].size_px, encoder_bytes=encoder_bytes(steps, found.format))
        extracted = facts.extract(found)  # not beside the picture: it may look at every page of a large file
        try:
            picture = decode(found, decoded_px(shown_px, steps), limits, rotation)
        except (errors.Undecodable, errors.Truncated):
            if not found.next_preview:
                raise
            with suppress(errors.ImageRefused):
                return _decoded(request, found.next_preview)
            raise
    return found, steps, extracted, without_idle_alpha(picture)


def encoder_bytes(steps: list[Step], source: str) -> int:
    """The most that one of the encoders holds beyond its picture: they come one after the other."""
    return max(
        working_bytes(
            step.rendition,
            step.rendition.format.resolved(source=source, transparent=False),
            step.size_px[0] * step.size_px[1],
        )
        for step in steps
    )


def cascade(picture: pyvips.Image, steps: list[Step]) -> Iterator[tuple[Step, pyvips.Image]]:
    """The whole picture at the scale of each step, in memory: made from the step before, or enlarged from `picture`."""
    latest = picture
    for step in steps:
        image = shrink(picture if step.enlarges else latest, step.size_px).copy_memory()
        if not step.enlarges:
            latest = image
        yield step, image


def crop(image: pyvips.Image, step: Step, focus: Focus | None) -> pyvips.Image:
    """The step's square around what matters, where it wants one."""
    side_px = step.square_px
    if side_px is None or (image.width, image.height) == (side_px, side_px):
        return image
    if focus is None and step.rendition.crop is Crop.ATTENTION:
        return image.smartcrop(side_px, side_px, interesting="attention")
    left, top = square_at((image.width, image.height), side_px, focus)
    return image.crop(left, top, side_px, side_px)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished file. carries: what it holds besides its pixels, as the scan found it."""

    path: Path
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str
    carries: tuple[str, ...]


class Writer:
    """Writes the outputs of one picture into the request's folder. Those that come out alike are encoded once.

    rights: of the file.
    """

    def __init__(self, request: Request, *, source: str, rights: Rights) -> None:
        self._request, self._source, self._in_file = request, source, rights
        self._rights = rights.outranked_by(request.stated_rights)
        self._encoded: dict[Step, Encoded] = {}

    def write(self, image: pyvips.Image, step: Step) -> tuple[Output, tuple[str, ...]]:
        """Make the output of a step, whose whole picture is `image`; also what its file carries besides its pixels."""
        rendition = step.rendition
        encoded_as = rendition.format.resolved(source=self._source, transparent=image.hasalpha())
        path = Path(self._request.into) / rendition.file_name(encoded_as)
        recipe = step.without_names(encoded_as)
        encoded = self._encoded.get(recipe)
        if encoded:
            shutil.copyfile(encoded.path, path)
        else:
            encoded = self._encoded[recipe] = self._encode(image, step, encoded_as, path)
        output = Output(
            name=rendition.name,
            format=encoded_as,
            file=path.name,
            digest=self._request.digest(rendition, rights=self._in_file, engine=ENGINE),
            width_px=encoded.width_px,
            height_px=encoded.height_px,
            size_bytes=encoded.size_bytes,
            sha256=encoded.sha256,
        )
        return output, encoded.carries

    def _encode(self, image: pyvips.Image, step: Step, format: Format, path: Path) -> Encoded:
        cropped = crop(image, step, self._request.overrides.focus)
        data = encode(cropped, step.rendition, format, self._rights)
        carries = scan(data, format, self._rights)
        path.write_bytes(data)
        checksum = hashlib.sha256(data).hexdigest()
        return Encoded(path, cropped.width, cropped.height, len(data), checksum, carries)
