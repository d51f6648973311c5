"""The floor: one full decode by libjpeg-turbo, and encoding our four outputs as we do, or either; no resizing."""

from functools import cache
from pathlib import Path

import pyvips
from PIL import Image

from bench.peers import ours
from bench.peers.lines import Way, serve
from media_jobs.pipeline.geometry import Step
from media_jobs.pipeline.readers import vips


@cache
def resized(picture: Path) -> list[tuple[Step, pyvips.Image]]:
    """The resized images, made before the clock starts."""
    return ours.pixels(picture)


def by_libvips(picture: Path) -> list[tuple[int, int]]:
    pyvips.Image.jpegload(str(picture), access="sequential").copy_memory()
    return ours.encoded(resized(picture))


def by_pillow(picture: Path) -> list[tuple[int, int]]:
    with Image.open(picture) as image:
        image.load()
    return ours.encoded(resized(picture))


def unkept(picture: Path) -> list[tuple[int, int]]:
    """Every line is decoded, only the last is kept."""
    decode(picture)
    return ours.encoded(resized(picture))


def decode(picture: Path) -> list[tuple[int, int]]:
    image = pyvips.Image.jpegload(str(picture), access="sequential")
    image.crop(0, image.height - 1, image.width, 1).copy_memory()
    return _sizes(picture)


def encode(picture: Path) -> list[tuple[int, int]]:
    return ours.encoded(resized(picture))


def _sizes(picture: Path) -> list[tuple[int, int]]:
    """Those of the outputs that would be made of it."""
    return [(image.width, image.height) for _, image in resized(picture)]


if __name__ == "__main__":
    vips.lock()
    ways: dict[str, Way] = {
        "libvips": by_libvips,
        "Pillow": by_pillow,
        "unkept": unkept,
        "decode": decode,
        "encode": encode,
    }
    serve(ways, prepare=resized)
