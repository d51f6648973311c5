"""JPEGs with bytes too many, harmless ones and such as lost sectors leave."""

import random
import re

from PIL import Image

from tests.images import damaged, encoded, jpeg, quadrants
from tests.odd import Odd, refused


def restarting(width_px: int = 640, height_px: int = 480, **options: object) -> bytes:
    """A JPEG with a restart marker after every line of blocks; all is noise but the middles of its quadrants."""
    picture = quadrants(width_px, height_px)
    noise = Image.frombytes("RGB", picture.size, random.Random(5).randbytes(3 * width_px * height_px))
    middles = Image.new("L", picture.size, 255)
    for x in (1, 3):
        for y in (1, 3):
            left, top = width_px * x // 4, height_px * y // 4
            middles.paste(0, (left - 24, top - 24, left + 24, top + 24))
    picture.paste(noise, mask=middles)
    return encoded(picture, "JPEG", **{"quality": 90, "restart_marker_rows": 1, "subsampling": 2, **options})


def with_strays(data: bytes, count: int, *, every: int = 1, filler: bytes = b"\x55") -> bytes:
    """The JPEG with `count` bytes too many before each of its restart markers, or before some."""
    numbers = iter(range(1_000_000))
    return re.sub(
        rb"\xff[\xd0-\xd7]", lambda mark: filler * (count if next(numbers) % every == 0 else 0) + mark[0], data
    )


def _sector_lost(data: bytes) -> bytes:
    """The JPEG after half a kilobyte of it was lost, which leaves its markers in place."""
    at = data.index(b"\xff\xd5") + 700
    lost = data[at : at + 512]
    assert not re.search(rb"\xff[\xd0-\xd7]", lost)
    return data[:at] + bytes(512) + data[at + 512 :]


def of_jpeg() -> dict[str, Odd]:
    size_px = (640, 480)
    whole = restarting()
    toy = with_strays(whole, 2)
    before_end = toy.rindex(b"\xff\xd9")
    odd_revision = jpeg(64, 48).replace(b"JFIF\0\1", b"JFIF\0\7")
    flat = jpeg(640, 480)
    return {
        "jpeg-toy-camera": Odd(toy, size_px),
        "jpeg-toy-camera-18": Odd(with_strays(whole, 18), size_px),
        "jpeg-few-strays": Odd(with_strays(whole, 4, every=3), size_px),
        "jpeg-odd-revision": Odd(odd_revision, (64, 48)),
        "jpeg-toy-camera-odd-revision": Odd(toy.replace(b"JFIF\0\1", b"JFIF\0\7"), size_px),
        "jpeg-toy-camera-sector-lost": refused(_sector_lost(toy), "undecodable"),
        "jpeg-sector-lost": refused(_sector_lost(whole), "undecodable"),
        "jpeg-bytes-left-over": refused(with_strays(whole, 200, every=9), "undecodable"),
        "jpeg-marker-lost": refused(toy.replace(b"\xff\xd5", b"", 1), "undecodable"),
        "jpeg-toy-camera-damaged-at-its-end": refused(toy[: before_end - 900] + toy[before_end - 300 :], "undecodable"),
        "jpeg-odd-revision-sector-lost": refused(_sector_lost(whole).replace(b"JFIF\0\1", b"JFIF\0\7"), "undecodable"),
        "jpeg-odd-revision-no-restarts-damaged": refused(
            damaged(flat).replace(b"JFIF\0\1", b"JFIF\0\7"), "undecodable"
        ),
        "jpeg-odd-revision-progressive-damaged": refused(
            damaged(jpeg(640, 480, progressive=True)).replace(b"JFIF\0\1", b"JFIF\0\7"), "undecodable"
        ),
    }
