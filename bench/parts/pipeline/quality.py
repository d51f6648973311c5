"""Bytes at equal quality, by SSIMULACRA2: our encoders against what others write, on photos.

All encode the same pixels, shrunk by Pillow, so that encoders are compared and no filters. Each has a curve of several
qualities, and bytes are read from it where its score is that of another one's file. `scores.py` does what takes long.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

from PIL import Image

from bench import node, pictures
from bench.measure import Peer, Spread, Turn, paired
from bench.parts.pipeline.scores import SIDES_PX, Sizes, bytes_at, encoded
from bench.parts.pipeline.speed import SHARP, STEP
from bench.peers.encoders import EFFORTS, SHIPPED_QUALITY
from bench.rows import Curve, Row

_LEAST_PIXELS = 2_000_000
_AT_ONCE = 2
_BACKGROUNDS = 7
#: Beyond this SSIMULACRA2 lies what the site writes, at eight times the bytes: all else would lie on the ground.
_DRAWN_UP_TO = 88


@dataclass(frozen=True, slots=True)
class Rival:
    """An encoder with its own defaults. target: how many bytes ours may have at its quality, as a share of its own."""

    way: str
    what: str
    target: float | None = None


RIVALS = (
    Rival("sharp-80", "sharp's defaults", 0.9),
    Rival("mozjpeg-80", "sharp with mozjpeg"),
    Rival("pillow-75", "Pillow's defaults"),
    Rival("jimp-100", "Jimp at quality 100"),
)
_SHIPPED = f"ours-{SHIPPED_QUALITY}"
#: The lines of the charts, by the beginning of their ways.
_CURVES = {
    "ours": "ours",
    "effort-9": "ours, effort 9",
    "webp": "ours as WebP",
    "sharp": "sharp",
    "mozjpeg": "sharp with mozjpeg",
    "pillow": "Pillow",
    "jimp": "Jimp",
}

#: What encoders make of a photo, by their ways.
Photo = dict[str, Sizes]


def rows(photos: Path | None) -> Iterator[Row | Curve]:
    """photos: a folder with JPEGs, of which those of at least 2 MP count; else those of mate-backgrounds."""
    row = Row("bytes", "bytes of full, medium and small at equal SSIMULACRA2", "", "×", None, at_most=True)
    found = _photos(photos)
    if not found:
        yield replace(row, note="no photos; on Debian and Ubuntu: apt install mate-backgrounds, or --photos FOLDER")
        return
    try:
        node.prepare()
    except node.NotInstalled as missing:
        yield replace(row, note=str(missing))
        return
    with ProcessPoolExecutor(_AT_ONCE, get_context("spawn")) as pool:
        measured = list(pool.map(encoded, found))
    row = replace(row, picture=f"{len(found)} photos" if photos else f"{len(found)} of mate-backgrounds")
    for rival in RIVALS:
        yield _against(rival, measured, row)
    yield _encoding(measured, row)
    yield _making(found, row)
    for effort in EFFORTS:
        yield _of_effort(effort, measured, row)
    yield _as_webp(measured, row)
    yield from _curves(measured)


def _against(rival: Rival, measured: list[Photo], row: Row) -> Row:
    ratios = [_at_equal(photo, "ours", photo[rival.way]) for photo in measured]
    theirs, ours = (_mean_score(measured, way) for way in (rival.way, _SHIPPED))
    plain = mean(_bytes(photo[_SHIPPED]) / _bytes(photo[rival.way]) for photo in measured)
    note = f"theirs {theirs:.1f}; ours at {SHIPPED_QUALITY} {ours:.1f} with {plain:.2f} × the bytes"
    what = f"{row.what}, as many as {rival.what}"
    return replace(row, what=what, measured=Spread.of(ratios), target=rival.target, note=note)


def _encoding(measured: list[Photo], row: Row) -> Row:
    ratios = [_cpu_s(photo[_SHIPPED]) / _cpu_s(photo["sharp-80"]) for photo in measured]
    ours, theirs = (1000 * mean(_cpu_s(photo[way]) for photo in measured) for way in (_SHIPPED, "sharp-80"))
    what = "processor time of encoding them, as long as sharp's defaults"
    note = f"ours {ours:.0f} ms, sharp {theirs:.0f} ms"
    return replace(row, what=what, measured=Spread.of(ratios), target=1, note=note)


def _making(photos: list[Path], row: Row) -> Row:
    with Peer("ours") as ours, Peer(SHARP.peer) as sharp:
        pairs = [paired(Turn(sharp, SHARP.way, photo), Turn(ours, STEP, photo), 1) for photo in photos]
    ratios = Spread.of([each.ratios.median for each in pairs])
    what = "processor time of making them, as long as sharp's defaults"
    note = "decoding, resizing, encoding; with the square thumbnail, on either side"
    return replace(row, what=what, measured=ratios, target=1, note=note)


def _of_effort(effort: int, measured: list[Photo], row: Row) -> Row:
    ratios = [_at_equal(photo, f"effort-{effort}", photo["sharp-80"]) for photo in measured]
    cpu = mean(_cpu_s(p[f"effort-{effort}-{SHIPPED_QUALITY}"]) / _cpu_s(p["sharp-80"]) for p in measured)
    what = f"– of our effort {effort}, as many as sharp's defaults"
    return replace(
        row, what=what, measured=Spread.of(ratios), note=f"encoding takes {cpu:.2f} × sharp's processor time"
    )


def _as_webp(measured: list[Photo], row: Row) -> Row:
    ratios = [_at_equal(photo, "webp", photo[_SHIPPED]) for photo in measured]
    cpu = mean(_cpu_s(photo["webp-82"]) / _cpu_s(photo[_SHIPPED]) for photo in measured)
    what = f"– of our WebP, as many as our JPEG at {SHIPPED_QUALITY}"
    return replace(row, what=what, measured=Spread.of(ratios), note=f"encoding takes {cpu:.1f} × its processor time")


def _curves(measured: list[Photo]) -> Iterator[Curve]:
    """The mean photo of each quality: SSIMULACRA2, and KB."""
    for index, side_px in enumerate(SIDES_PX):
        for start, name in _CURVES.items():
            points = []
            for way in _ways(start, measured[0]):
                sizes = [photo[way][index] for photo in measured]
                points.append((mean(p.score for p in sizes), mean(p.size_bytes for p in sizes) / 1000))
            rounded = tuple((round(x, 2), round(y, 1)) for x, y in sorted(points) if x < _DRAWN_UP_TO)
            yield Curve(f"Bytes at {side_px} px", name, rounded)


def _at_equal(photo: Photo, start: str, theirs: Sizes) -> float:
    """How many times as many bytes ours needs for the scores of `theirs`: its curve, read at each of them."""
    curves = zip(*(photo[way] for way in _ways(start, photo)), strict=True)
    return sum(bytes_at(point.score, list(curve)) for point, curve in zip(theirs, curves, strict=True)) / _bytes(theirs)


def _ways(start: str, photo: Photo) -> list[str]:
    """All qualities of an encoder."""
    return [way for way in photo if way.rpartition("-")[0] == start]


def _photos(folder: Path | None) -> list[Path]:
    """Those with 2 MP of the folder; of mate-backgrounds the seven of nature that have most to tell."""
    found = []
    for path in sorted((folder or pictures.BACKGROUNDS / "nature").rglob("*.[jJ][pP]*[gG]")):
        with Image.open(path) as image:
            if math.prod(image.size) >= _LEAST_PIXELS and image.mode == "RGB":
                found.append(path)
    return found if folder else sorted(found, key=lambda path: path.stat().st_size)[-_BACKGROUNDS:]


def _bytes(sizes: Sizes) -> int:
    return sum(point.size_bytes for point in sizes)


def _cpu_s(sizes: Sizes) -> float:
    return sum(point.cpu_s for point in sizes)


def _mean_score(measured: list[Photo], way: str) -> float:
    return mean(point.score for photo in measured for point in photo[way])
