"""Our render step: decode, cascade, encode. Not the rest of the call: probe, facts, scan, placeholder."""

from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pyvips

from bench.peers.lines import serve
from media_jobs.pipeline.decode import decode
from media_jobs.pipeline.encode import encode
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.geometry import Step, decoded_px, plan
from media_jobs.pipeline.probe import probe
from media_jobs.pipeline.readers import vips
from media_jobs.pipeline.recipes import GALLFORMERS, Format
from media_jobs.pipeline.render import cascade, crop
from media_jobs.pipeline.values import Limits, Rights

LIMITS = Limits()
_OPENED = ExitStack()


@cache
def header(picture: Path) -> Found:
    """Stays open."""
    return _OPENED.enter_context(probe(picture, LIMITS))


def pixels(picture: Path) -> list[tuple[Step, pyvips.Image]]:
    """Decoded once, and shrunk step by step."""
    found = header(picture)
    steps = plan(found.displayed_px, GALLFORMERS)
    whole = decode(found, decoded_px(found.displayed_px, steps), LIMITS)
    return [(step, crop(image, step, None)) for step, image in cascade(whole, steps)]


def encoded(images: list[tuple[Step, pyvips.Image]]) -> list[tuple[int, int]]:
    """Encodes all; gives their sizes."""
    for step, image in images:
        encode(image, step.rendition, Format.JPEG, Rights())
    return [(image.width, image.height) for _, image in images]


def cascaded(picture: Path) -> list[tuple[int, int]]:
    return encoded(pixels(picture))


if __name__ == "__main__":
    vips.lock()
    with _OPENED:
        serve({"cascade": cascaded}, prepare=header)
