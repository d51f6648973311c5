"""Encoders in Python: ours with what they take by themselves, at several qualities and efforts, and Pillow's JPEG."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pyvips
from PIL import Image

from bench.peers.lines import Way, serve
from media_jobs.pipeline.encode import encode
from media_jobs.pipeline.recipes import GALLFORMERS, LARGEST_SIDE_PX, Format, Rendition
from media_jobs.pipeline.values import Rights

SHIPPED_QUALITY = GALLFORMERS.renditions[0].quality
#: Around what others write by default, and up to what the site writes.
QUALITIES = (76, SHIPPED_QUALITY, 88, 96)
EFFORTS = (0, 5, 7, 9)
#: Enough for the same quality as sharp's defaults have.
_EFFORT_QUALITIES = (76, SHIPPED_QUALITY)
_WEBP_QUALITIES = (82, 90)
_PILLOW_QUALITIES = (75, 84)


@cache
def pixels(picture: Path) -> tuple[pyvips.Image, Image.Image]:
    with Image.open(picture) as image:
        image.load()
        return pyvips.Image.pngload(str(picture)).copy_memory(), image.copy()


def ours(picture: Path, way: str, format: Format, *, quality: int, effort: int | None = None) -> list[tuple[int, int]]:
    image, _ = pixels(picture)
    wanted = Rendition("r", LARGEST_SIDE_PX, format=format, quality=quality, effort=effort)
    picture.with_suffix(f".{way}").write_bytes(encode(image, wanted, format, Rights()))
    return [(image.width, image.height)]


def pillow(picture: Path, way: str, *, quality: int) -> list[tuple[int, int]]:
    _, image = pixels(picture)
    image.save(picture.with_suffix(f".{way}"), "JPEG", quality=quality)
    return [image.size]


_BY_WAY: dict[str, Callable[[Path, str], list[tuple[int, int]]]] = {
    **{f"ours-{q}": partial(ours, format=Format.JPEG, quality=q) for q in QUALITIES},
    **{
        f"effort-{e}-{q}": partial(ours, format=Format.JPEG, quality=q, effort=e)
        for e in EFFORTS
        for q in _EFFORT_QUALITIES
    },
    **{f"webp-{q}": partial(ours, format=Format.WEBP, quality=q) for q in _WEBP_QUALITIES},
    **{f"pillow-{q}": partial(pillow, quality=q) for q in _PILLOW_QUALITIES},
}
IN_PYTHON = tuple(_BY_WAY)
#: Those of `node_encoders.mjs`.
IN_NODE = ("sharp-72", "sharp-80", "sharp-88", "mozjpeg-80", "mozjpeg-88", "jimp-85", "jimp-100")


def _way(name: str) -> Way:
    return lambda picture: _BY_WAY[name](picture, name)


if __name__ == "__main__":
    serve({name: _way(name) for name in IN_PYTHON}, prepare=pixels)
