"""Pillow, in the three ways that people use it."""

import io
from pathlib import Path

from PIL import Image, ImageOps

from bench.peers.lines import serve

_SIDES_PX = (2048, 1024, 512)
_THUMB_PX = (200, 200)
_FILTER = Image.Resampling.LANCZOS


def draft(picture: Path) -> list[tuple[int, int]]:
    """Open it for each size; the decoder shrinks as far as it can without going below."""
    outputs = []
    for side_px in _SIDES_PX:
        image = _drafted(picture, side_px)
        image.thumbnail((side_px, side_px), _FILTER, reducing_gap=None)
        outputs.append(_saved(image))
    return [*outputs, _saved(ImageOps.fit(_drafted(picture, _THUMB_PX[0]), _THUMB_PX, _FILTER))]


def thumbnail(picture: Path) -> list[tuple[int, int]]:
    """Open it for each size; `thumbnail` leaves a factor of two to the filter, which looks better."""
    outputs = []
    for side_px in _SIDES_PX:
        with Image.open(picture) as image:
            image.thumbnail((side_px, side_px), _FILTER)
            outputs.append(_saved(image))
    return [*outputs, _saved(ImageOps.fit(_drafted(picture, 2 * _THUMB_PX[0]), _THUMB_PX, _FILTER))]


def cascade(picture: Path) -> list[tuple[int, int]]:
    """Decode once, shrink step by step, as we do."""
    outputs = []
    with Image.open(picture) as image:
        for side_px in _SIDES_PX:
            image.thumbnail((side_px, side_px), _FILTER)
            outputs.append(_saved(image))
        return [*outputs, _saved(ImageOps.fit(image, _THUMB_PX, _FILTER))]


def _drafted(picture: Path, side_px: int) -> Image.Image:
    image = Image.open(picture)
    image.draft("RGB", (side_px, side_px))
    return image


def _saved(image: Image.Image) -> tuple[int, int]:
    image.save(io.BytesIO(), "JPEG", quality=82)
    return image.size


if __name__ == "__main__":
    serve({"draft": draft, "thumbnail": thumbnail, "cascade": cascade})
