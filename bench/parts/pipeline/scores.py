"""Photos encoded by all ways, and what SSIMULACRA2 says of each. Scores are kept: they depend on the pixels alone."""

import hashlib
import math
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from bench.measure import Peer
from bench.peers.encoders import IN_NODE, IN_PYTHON

#: Full, medium and small of the shipped preset.
SIDES_PX = (2048, 1024, 512)
#: Of larger ones the middle alone is looked at: the whole of 2048 px takes three times as long.
_WINDOW_PX = 1024
_KEPT = Path(__file__).parents[2] / ".cache/scores"


@dataclass(frozen=True, slots=True)
class Point:
    """One encoded file. score: SSIMULACRA2, 100 for the same picture. cpu_s: of encoding it."""

    score: float
    size_bytes: int
    cpu_s: float


#: What one encoder makes of a photo, for each of SIDES_PX.
Sizes = list[Point]


def encoded(photo: Path) -> dict[str, Sizes]:
    """Encode a photo by all ways."""
    found: dict[str, Sizes] = {way: [] for way in (*IN_PYTHON, *IN_NODE)}
    with TemporaryDirectory() as folder, Peer("encoders") as encoders, Peer("node_encoders") as others:
        for side_px in SIDES_PX:
            reference = Path(folder) / f"{side_px}.png"
            with Image.open(photo) as image:
                image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=None)
                image.convert("RGB").save(reference, compress_level=1)
            for peer, ways in ((encoders, IN_PYTHON), (others, IN_NODE)):
                for way in ways:
                    found[way].append(_point(peer, way, reference))
    return found


def bytes_at(score: float, curve: list[Point]) -> float:
    """The bytes for a score, between two points of a curve or beyond its ends: their logarithm goes by the score."""
    curve = sorted(curve, key=lambda point: point.score)
    right = min(max(1, bisect_left(curve, score, key=lambda point: point.score)), len(curve) - 1)
    low, high = curve[right - 1], curve[right]
    share = (score - low.score) / (high.score - low.score)
    return math.exp((1 - share) * math.log(low.size_bytes) + share * math.log(high.size_bytes))


def _point(peer: Peer, way: str, reference: Path) -> Point:
    cpu_s = min(peer.ask(way, reference).cpu_s for _ in range(2))
    written = reference.with_suffix(f".{way}")
    return Point(_score(reference, written), written.stat().st_size, cpu_s)


def _score(reference: Path, written: Path) -> float:
    pair = [_window(path) for path in (reference, written)]
    kept = _KEPT / hashlib.sha256(b"".join(image.tobytes() for image in pair)).hexdigest()
    if not kept.exists():
        paths = [written.with_suffix(f".{side}.png") for side in range(2)]
        for image, path in zip(pair, paths, strict=True):
            image.save(path, compress_level=1)
        unfinished = kept.with_suffix(f".{written.name}.part")
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(repr(float(compute_ssimulacra2(*map(str, paths)))))
        unfinished.rename(kept)
    return float(kept.read_text())


def _window(path: Path) -> Image.Image:
    with Image.open(path) as image:
        left, top = (max(0, (side - _WINDOW_PX) // 2) for side in image.size)
        right, bottom = (min(_WINDOW_PX, side) for side in image.size)
        return image.convert("RGB").crop((left, top, left + right, top + bottom))
