"""Bytes at equal quality, by SSIMULACRA2: our JPEG encoder against what others write by default, on photos.

All encode the same pixels, shrunk by Pillow, so that encoders are compared and no filters.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from bench import node, pictures
from bench.measure import Peer, Spread
from bench.peers.encoders import EFFORTS, QUALITIES
from bench.rows import Row

#: Full, medium and small of the shipped preset.
SIDES_PX = (2048, 1024, 512)
_LEAST_PIXELS = 2_000_000
_SHIPPED_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Rival:
    """An encoder by its way, and how many bytes ours may have at its quality, as a share of its own."""

    way: str
    what: str
    target: float | None = None
    in_node: bool = True


RIVALS = (
    Rival("sharp", "sharp's defaults", 0.9),
    Rival("mozjpeg", "sharp with mozjpeg"),
    Rival("pillow", "Pillow's defaults", in_node=False),
    Rival("jimp", "Jimp at quality 100"),
)


@dataclass(frozen=True, slots=True)
class Point:
    """One encoded file. score: SSIMULACRA2, 100 for the same picture. cpu_s: of encoding it."""

    score: float
    size_bytes: int
    cpu_s: float


#: What one encoder makes of a photo, for each of SIDES_PX.
Sizes = list[Point]


def rows(photos: Path | None) -> Iterator[Row]:
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
    measured = [_encoded(photo) for photo in found]
    where = f"{len(found)} photos of {photos.name}" if photos else f"{len(found)} of mate-backgrounds"
    for rival in RIVALS:
        yield replace(_against(rival, measured, row), picture=where)
    for effort in EFFORTS:
        yield replace(_of_effort(effort, measured, row), picture=where)


def _against(rival: Rival, measured: list[dict[str, Sizes]], row: Row) -> Row:
    ratios = [_at_equal(photo, "ours", photo[rival.way]) for photo in measured]
    theirs, ours = (_mean_score(measured, way) for way in (rival.way, f"ours-{_SHIPPED_QUALITY}"))
    plain = mean(_bytes(photo[f"ours-{_SHIPPED_QUALITY}"]) / _bytes(photo[rival.way]) for photo in measured)
    note = f"theirs {theirs:.1f}; ours at {_SHIPPED_QUALITY} {ours:.1f} with {plain:.2f} × the bytes"
    return replace(
        row, what=f"{row.what}, as many as {rival.what}", measured=Spread.of(ratios), target=rival.target, note=note
    )


def _of_effort(effort: int, measured: list[dict[str, Sizes]], row: Row) -> Row:
    fixed = f"effort-{effort}"
    ratios = [_at_equal(photo, fixed, photo["sharp"]) for photo in measured]
    cpu = mean(
        sum(p.cpu_s for p in photo[f"{fixed}-{_SHIPPED_QUALITY}"]) / sum(p.cpu_s for p in photo["sharp"])
        for photo in measured
    )
    note = f"encoding takes {cpu:.2f} × sharp's processor time"
    return replace(
        row, what=f"– of our effort {effort}, as many as sharp's defaults", measured=Spread.of(ratios), note=note
    )


def _at_equal(photo: dict[str, Sizes], way: str, theirs: Sizes) -> float:
    """How many times as many bytes `way` needs for the scores of `theirs`: its curve, read at each of them."""
    curves = zip(*(photo[f"{way}-{quality}"] for quality in QUALITIES), strict=True)
    return sum(bytes_at(point.score, list(curve)) for point, curve in zip(theirs, curves, strict=True)) / _bytes(theirs)


def bytes_at(score: float, curve: list[Point]) -> float:
    """The bytes for a score, between two points of a curve or beyond its ends: their logarithm goes by the score."""
    curve = sorted(curve, key=lambda point: point.score)
    right = min(max(1, bisect_left(curve, score, key=lambda point: point.score)), len(curve) - 1)
    low, high = curve[right - 1], curve[right]
    share = (score - low.score) / (high.score - low.score)
    return math.exp((1 - share) * math.log(low.size_bytes) + share * math.log(high.size_bytes))


def _encoded(photo: Path) -> dict[str, Sizes]:
    ours = [f"{way}-{quality}" for way in ("ours", *(f"effort-{e}" for e in EFFORTS)) for quality in QUALITIES]
    python, in_node = [*ours, "pillow"], [rival.way for rival in RIVALS if rival.in_node]
    found: dict[str, Sizes] = {way: [] for way in (*python, *in_node)}
    with TemporaryDirectory() as folder, Peer("encoders") as encoders, Peer("node_encoders") as others:
        for side_px in SIDES_PX:
            reference = Path(folder) / f"{side_px}.png"
            with Image.open(photo) as image:
                image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=None)
                image.convert("RGB").save(reference)
            scores: dict[int, float] = {}
            for peer, ways in ((encoders, python), (others, in_node)):
                for way in ways:
                    found[way].append(_point(peer, way, reference, scores))
    return found


def _point(peer: Peer, way: str, reference: Path, scores: dict[int, float]) -> Point:
    """scores: of what was encoded before: some efforts write the same pixels."""
    cpu_s = min(peer.ask(way, reference).cpu_s for _ in range(2))
    written = reference.with_suffix(f".{way}.jpg")
    with Image.open(written) as image:
        pixels = hash(image.tobytes())
    if pixels not in scores:
        scores[pixels] = compute_ssimulacra2(str(reference), str(written))
    return Point(scores[pixels], written.stat().st_size, cpu_s)


def _photos(folder: Path | None) -> list[Path]:
    found = []
    for path in sorted((folder or pictures.BACKGROUNDS).rglob("*.[jJ][pP]*[gG]")):
        with Image.open(path) as image:
            if math.prod(image.size) >= _LEAST_PIXELS and image.mode == "RGB":
                found.append(path)
    return found


def _bytes(sizes: Sizes) -> int:
    return sum(point.size_bytes for point in sizes)


def _mean_score(measured: list[dict[str, Sizes]], way: str) -> float:
    return mean(point.score for photo in measured for point in photo[way])
