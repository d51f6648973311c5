"""What people upload to the site: parts of the samples, each in other light, as a camera writes them."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageEnhance

from media_jobs.demo.exif_writer import with_facts
from tests import images
from tests.e2e.service import ROOT

_SAMPLES = sorted((ROOT / "media_jobs/demo/samples").glob("*.jpg"))
_SIZE_PX = (1280, 720)


def photographs(folder: Path, numbers: range) -> Iterator[Path]:
    """One JPEG for each number, with a camera's facts and a position; every fifth one was held upright."""
    for number in numbers:
        path = folder / f"photo-{number}.jpg"
        path.write_bytes(_photograph(number))
        yield path


def is_upright(number: int) -> bool:
    return number % 5 == 3


def _photograph(number: int) -> bytes:
    with Image.open(_SAMPLES[number % len(_SAMPLES)]) as sample:
        room_px = [side - part for side, part in zip(sample.size, _SIZE_PX, strict=True)]
        left, top = (room * (37 * number % 101) // 101 for room in room_px)
        part = sample.crop((left, top, left + _SIZE_PX[0], top + _SIZE_PX[1]))
    file = io.BytesIO()
    ImageEnhance.Brightness(part).enhance(0.8 + 0.01 * (number % 40)).save(file, "JPEG", quality=92)
    return with_facts(file.getvalue(), replace(images.CAMERA, orientation=6 if is_upright(number) else 1))
