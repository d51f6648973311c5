"""JPEG encoders in Python: ours with what it takes by itself, at several qualities and efforts, and Pillow's."""

from functools import cache, partial
from pathlib import Path

import pyvips
from PIL import Image

from bench.peers.lines import serve
from media_jobs.pipeline.encode import encode
from media_jobs.pipeline.recipes import LARGEST_SIDE_PX, Format, Rendition
from media_jobs.pipeline.values import Rights

QUALITIES = (70, 76, 82, 88)
EFFORTS = (0, 5, 7, 9)


@cache
def pixels(picture: Path) -> tuple[pyvips.Image, Image.Image]:
    with Image.open(picture) as image:
        image.load()
        return pyvips.Image.pngload(str(picture)).copy_memory(), image.copy()


def ours(picture: Path, *, quality: int, effort: int | None = None) -> list[tuple[int, int]]:
    image, _ = pixels(picture)
    wanted = Rendition("r", LARGEST_SIDE_PX, quality=quality, effort=effort)
    encoded_as = f"ours-{quality}" if effort is None else f"effort-{effort}-{quality}"
    picture.with_suffix(f".{encoded_as}.jpg").write_bytes(encode(image, wanted, Format.JPEG, Rights()))
    return [(image.width, image.height)]


def pillow(picture: Path) -> list[tuple[int, int]]:
    _, image = pixels(picture)
    image.save(picture.with_suffix(".pillow.jpg"), "JPEG")
    return [image.size]


if __name__ == "__main__":
    ways = {f"ours-{quality}": partial(ours, quality=quality) for quality in QUALITIES}
    ways |= {
        f"effort-{e}-{quality}": partial(ours, quality=quality, effort=e) for e in EFFORTS for quality in QUALITIES
    }
    serve({**ways, "pillow": pillow}, prepare=pixels)
