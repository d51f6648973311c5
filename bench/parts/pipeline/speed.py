"""The render step of the gallformers preset, against its peers and against the floor."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench import node, pictures
from bench.measure import Peer, Turn, paired
from bench.rows import Row

#: The way of `peers/ours.py`.
STEP = "cascade"
_SLOW_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Rival:
    """A way of a peer to make the same four outputs. Without a target: for information, on the 12 MP picture only."""

    peer: str
    way: str
    what: str
    target: float | None = None
    in_node: bool = False
    slow: bool = False


SHARP = Rival("sharp", "default", "sharp, one resize per size", 2.8, in_node=True)
RIVALS = (
    SHARP,
    Rival("sharp", "unoptimised", "sharp, the same with optimiseCoding off", in_node=True),
    Rival("pillow", "draft", "Pillow, draft mode for each size", 3.5),
    Rival("pillow", "thumbnail", "Pillow, thumbnail() for each size"),
    Rival("pillow", "cascade", "Pillow, decoding once"),
    Rival("jimp", "clones", "Jimp, one read, one clone per size", 20, in_node=True, slow=True),
)
_FLOOR_TARGET = 1.4


def rows(rounds: int) -> Iterator[Row]:
    """Each peer takes turns with ours `rounds` times on each picture; Jimp three times, on the generated ones only."""
    generated = {picture.name: picture.file() for picture in (pictures.TWELVE, pictures.TWENTY_FOUR)}
    twelve = {pictures.TWELVE.name: generated[pictures.TWELVE.name]}
    photos = pictures.backgrounds()
    with Peer("ours") as ours:
        for rival in RIVALS:
            where = twelve if rival.target is None else generated if rival.slow else generated | photos
            yield from _against(ours, rival, where, min(rounds, _SLOW_ROUNDS) if rival.slow else rounds)
        with Peer("floor") as floor:
            for name, path in (generated | photos).items():
                yield from _above_floors(ours, floor, name, path, rounds)
            yield from _bounds(ours, floor, generated, rounds)
    if not photos:
        note = "not installed; on Debian and Ubuntu: apt install mate-backgrounds"
        yield Row("speed", "all of these", "mate-backgrounds", "×", None, note=note)


def _against(ours: Peer, rival: Rival, where: dict[str, Path], rounds: int) -> Iterator[Row]:
    row = Row("speed", f"render step, faster than {rival.what}", "", "×", None, rival.target)
    if rival.in_node:
        try:
            node.prepare()
        except node.NotInstalled as missing:
            yield replace(row, note=str(missing))
            return
    with Peer(rival.peer) as peer:
        for name, path in where.items():
            pairs = paired(Turn(ours, STEP, path), Turn(peer, rival.way, path), rounds)
            yield replace(row, picture=name, measured=pairs.ratios, note=pairs.in_ms("ours", rival.peer))


def _above_floors(ours: Peer, floor: Peer, name: str, path: Path, rounds: int) -> Iterator[Row]:
    what = "render step, as long as one libjpeg-turbo decode + encoding the four outputs"
    row = Row("speed", what, name, "×", None, at_most=True)
    over = {way: paired(Turn(floor, way, path), Turn(ours, STEP, path), rounds) for way in ("libvips", "Pillow")}
    lowest = max(over, key=lambda way: over[way].ratios.median)
    note = f"decoded by {lowest}; {over[lowest].in_ms('floor', 'ours')}"
    yield replace(row, measured=over[lowest].ratios, target=_FLOOR_TARGET, note=note)
    if name == pictures.TWELVE.name:
        pairs = paired(Turn(floor, "unkept", path), Turn(ours, STEP, path), rounds)
        yield replace(row, measured=pairs.ratios, note=f"decoded pixels thrown away; {pairs.in_ms('floor', 'ours')}")


def _bounds(ours: Peer, floor: Peer, where: dict[str, Path], rounds: int) -> Iterator[Row]:
    """What holds us up: sharp against what nobody can leave out, and how much of ours that is."""
    row = Row("speed", "one decode and encoding the four outputs, faster than sharp", "", "×", None)
    try:
        node.prepare()
    except node.NotInstalled as missing:
        yield replace(row, note=str(missing))
        return
    with Peer(SHARP.peer) as sharp:
        for name, path in where.items():
            pairs = paired(Turn(floor, "unkept", path), Turn(sharp, SHARP.way, path), rounds)
            note = f"no resizing, decoded pixels thrown away; {pairs.in_ms('both', 'sharp')}"
            yield replace(row, picture=name, measured=pairs.ratios, note=note)
    for way, what in (("decode", "decoding"), ("encode", "encoding the four outputs")):
        for name, path in where.items():
            pairs = paired(Turn(ours, STEP, path), Turn(floor, way, path), rounds)
            share = replace(row, what=f"{what} alone, as a share of the render step", note=pairs.in_ms("step", what))
            yield replace(share, picture=name, measured=pairs.ratios)
