"""The floor: one full decode by libjpeg-turbo, and encoding our four outputs as we do. No resizing at all."""

from functools import cache
from pathlib import Path

import pyvips
from PIL import Image

from bench.peers import ours
from bench.peers.lines import serve
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
    image = pyvips.Image.jpegload(str(picture), access="sequential")
    image.crop(0, image.height - 1, image.width, 1).copy_memory()
    return ours.encoded(resized(picture))


if __name__ == "__main__":
    vips.lock()
    serve({"libvips": by_libvips, "Pillow": by_pillow, "unkept": unkept}, prepare=resized)
