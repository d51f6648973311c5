"""Measures what two programs made of one original. Each file is decoded once. Importing this loads libvips."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pyvips

from media_jobs import errors
from media_jobs.pipeline.compare import likeness, rounding
from media_jobs.pipeline.compare.reference import Reference
from media_jobs.pipeline.compare.scales import Scales, Size, scales
from media_jobs.pipeline.compare.shown import Opened, opened, picture, resized, upright
from media_jobs.pipeline.compare.values import CompareRequest, Look, Measures, Pair, PairRequest
from media_jobs.pipeline.values import Limits

_DIGITS = 4


def measure(request: CompareRequest) -> Measures:
    """Measure every pair. Raises ImageRefused where the original is no picture; of other files `refused` tells it."""
    with ExitStack() as files:
        original = opened(Path(request.original), request.limits, files)
        headers = [_Headers(pair, request.limits, files) for pair in request.pairs]
        wanted = [scales(original.size_px, header.sizes_px) for header in headers]
        largest_px = max((at.fine_px for at in wanted), default=original.size_px)
        reference = Reference(picture(original, largest_px, request.limits))
        pairs = tuple(header.measured(reference, at) for header, at in zip(headers, wanted, strict=True))
    return Measures(*original.size_px, original.found.orientation, pairs)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A file as it was measured, if there is one. colours: of its picture, if it has one, in Lab."""

    look: Look | None
    colours: pyvips.Image | None = None


class _Headers:
    """The two files of one size, once their headers were read."""

    def __init__(self, asked: PairRequest, limits: Limits, files: ExitStack) -> None:
        self._asked, self._limits = asked, limits
        self._legacy, self._ours = (self._opened(path, files) for path in (asked.legacy, asked.ours))

    @property
    def sizes_px(self) -> list[Size]:
        """Of those files that are pictures, as far as their headers tell."""
        return [file.size_px for file in (self._legacy, self._ours) if isinstance(file, Opened)]

    def measured(self, reference: Reference, at: Scales) -> Pair:
        legacy, ours = (self._look(file, reference, at) for file in (self._legacy, self._ours))
        between = 0.0
        if legacy.colours and ours.colours:
            between = likeness.delta_e(ours.colours, legacy.colours)[1]
        return Pair(self._asked.name, self._asked.width_px, legacy.look, ours.look, round(between, _DIGITS))

    def _opened(self, path: str | None, files: ExitStack) -> Opened | Look | None:
        if path is None:
            return None
        try:
            return opened(Path(path), self._limits, files)
        except errors.ImageRefused as refusal:
            return Look(size_bytes=Path(path).stat().st_size, refused=refusal.code)

    def _look(self, file: Opened | Look | None, reference: Reference, at: Scales) -> _Measured:
        if not isinstance(file, Opened):
            return _Measured(file)
        try:
            return _measured(file, picture(file, at.fine_px, self._limits), reference, at)
        except errors.ImageRefused as refusal:
            return _Measured(replace(_facts(file), refused=refusal.code))


def _facts(file: Opened) -> Look:
    """What is known of a file before its pixels are."""
    found = file.found
    return Look(
        *file.size_px,
        format=found.format,
        size_bytes=found.original.stat().st_size,
        orientation=found.orientation,
        carries=file.carries,
        position=file.has_position,
    )


def _measured(file: Opened, image: pyvips.Image, reference: Reference, at: Scales) -> _Measured:
    wanted = reference.whole(at.whole_px)
    turned, fine, whole = _upright(image, wanted, at)
    plane, colours = likeness.luminance(whole), likeness.colours(whole, at.colour_by)
    shrunk_by = max(file.size_px) / max(at.whole_px)
    right, down = wanted.moved(plane)
    delta_e, part_delta_e = likeness.delta_e(colours, reference.colours(at))
    noise = rounding.variance(file.found.path, file.found.coded_as, shrunk_by) * wanted.fading
    look = replace(
        _facts(file),
        turned=turned,
        ssim=round(likeness.ssim(plane, wanted.luma), _DIGITS),
        noise=round(noise, _DIGITS),
        detail=round(likeness.detail(wanted.finest(fine), reference.finest(at)), _DIGITS),
        vividness=round(likeness.vividness(colours, reference.colours(at)), _DIGITS),
        delta_e=round(delta_e, _DIGITS),
        part_delta_e=round(part_delta_e, _DIGITS),
        moved_px=(round(right * shrunk_by, _DIGITS), round(down * shrunk_by, _DIGITS)),
    )
    return _Measured(look, colours)


def _upright(image: pyvips.Image, wanted: likeness.Whole, at: Scales) -> tuple[int, pyvips.Image, pyvips.Image]:
    """How what the image shows lies; and the image upright, at the two scales."""
    lies = (image.width > image.height) != (at.fine_px[0] > at.fine_px[1])
    fine = resized(image, at.fine_px[::-1] if lies else at.fine_px, "lanczos3")
    whole = resized(fine, at.whole_px[::-1] if lies else at.whole_px)
    turned = likeness.turned(likeness.luminance(whole), wanted.luma)
    return turned, resized(upright(fine, turned), at.fine_px), resized(upright(whole, turned), at.whole_px)
