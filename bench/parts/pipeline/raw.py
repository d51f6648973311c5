"""Finding the preview of a raw file, against LibRaw, which did it before; both in one process that takes turns."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import pictures
from bench.measure import Pairs, Peer, Turn, paired
from bench.rows import Row
from tests.formats import raws

_TARGET = 3
#: What lies behind the preview: a camera's raw data.
_RAW_BYTES = 24 * 1_048_576
#: Previews as cameras put them into their files: well packed; of full size, and as large as a screen.
_FULL = pictures.Picture("24 MP preview", 6000, 4000, quality=80)
_SCREEN = pictures.Picture("2 MP preview", 1616, 1080, quality=80)

_MAKERS: dict[str, Callable[[bytes], bytes]] = {
    "dng": raws.dng,
    "nef": raws.nef,
    "arw": raws.arw,
    "cr2": raws.cr2,
    "orf": raws.orf,
    "rw2": raws.rw2,
    "raf": raws.raf,
    "cr3": lambda preview: raws.cr3(preview, b""),
}


def rows(rounds: int) -> Iterator[Row]:
    with Peer("raw") as peer:
        for name, path in _files().items():
            pairs = paired(Turn(peer, "tables", path), Turn(peer, "LibRaw", path), rounds)
            note = pairs.in_ms("20 by tables", "20 by LibRaw")
            target = _TARGET if _FULL.name in name else None
            yield Row("raw", "preview of a raw file, faster than by LibRaw", name, "×", pairs.ratios, target, note=note)
    path = _files()["nef, 24 MP preview"]
    pairs = Pairs([(_first("tables, first", path), _first("LibRaw, first", path)) for _ in range(rounds)])
    note = pairs.in_ms("by tables", "by LibRaw, which loads numpy")
    yield Row("raw", "– of a decoder's first one", "nef, 24 MP preview", "×", pairs.ratios, _TARGET, note=note)


def _first(way: str, path: Path) -> float:
    with Peer("raw") as peer:
        return peer.ask(way, path).cpu_s


def _files() -> dict[str, Path]:
    """A file of each layout, beside the drawn pictures."""
    paths = {}
    for picture in (_FULL, _SCREEN):
        preview = picture.file()
        for kind, make in _MAKERS.items():
            path = paths[f"{kind}, {picture.name}"] = preview.with_suffix(f".{kind}")
            if not path.exists():
                unfinished = path.with_suffix(".part")
                unfinished.write_bytes(make(preview.read_bytes()) + os.urandom(_RAW_BYTES))
                unfinished.rename(path)
    return paths
