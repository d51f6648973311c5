"""Whole services that take the same uploads in turns: `python -m bench peers`.

Each stores the original and the four sizes. Client and service share the processors, as they do with all of them. Two
bare decoders have their turn as well: with less than they need, ours cannot be had.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median

from bench import node
from bench.builds import CONNECTIONS
from bench.measure import Spread
from bench.parts.service.throughput import bare
from bench.pictures import TWELVE
from bench.rows import Row
from bench.services import start
from bench.services.contender import Contender, Load, Round

_ROUNDS = 3
_LOAD = Load(TWELVE, 24)
#: Jimp takes seconds for each.
_FEW = replace(_LOAD, count=CONNECTIONS)
_SHARP, _JIMP, _DJANGO = 2.0, 15.0, 2.5
_WHAT = "pictures a second of the whole service"


@dataclass(frozen=True, slots=True)
class Peer:
    """target: how many times as many ours has to make, at least."""

    contender: Contender
    target: float | None = None
    load: Load = _LOAD


def rows(rounds: int) -> Iterator[Row]:
    rounds = min(rounds, _ROUNDS)
    with ExitStack() as stack:
        ours, _ = stack.enter_context(start.ours())
        peers = _in_python(stack)
        try:
            peers += _in_node(stack)
            missing = ""
        except node.NotInstalled as error:
            missing = str(error)
        sides = [Peer(ours), *peers]
        for side in sides:  # they warm up
            side.contender.take(_FEW)
        turns = [([side.contender.take(side.load) for side in sides], bare(TWELVE, _LOAD.count)) for _ in range(rounds)]
    yield _ours([taken[0] for taken, _ in turns])
    for number, peer in enumerate(peers, start=1):
        yield from _against(peer, [(taken[0], taken[number], decoders_s) for taken, decoders_s in turns])
    if missing:
        yield from _not_measured(missing)


def _in_python(stack: ExitStack) -> list[Peer]:
    usual, in_place = (stack.enter_context(start.plain_django(shrinks_in_place=yes)) for yes in (False, True))
    return [Peer(usual, _DJANGO), Peer(in_place)]


def _in_node(stack: ExitStack) -> list[Peer]:
    """Raises node.NotInstalled."""
    sharp, as_ours = (stack.enter_context(start.in_node("sharp", as_ours=yes)) for yes in (False, True))
    return [Peer(sharp, _SHARP), Peer(as_ours), Peer(stack.enter_context(start.in_node("Jimp")), _JIMP, _FEW)]


def _not_measured(note: str) -> Iterator[Row]:
    for name, target in (("Node and sharp", _SHARP), ("Node and Jimp", _JIMP)):
        yield Row("peers", f"{_WHAT}, over {name}", TWELVE.name, "×", None, target, note=note)


def _ours(rounds: list[Round]) -> Row:
    note = f"while they are uploaded; processor time {median(one.cpu_ms for one in rounds):.0f} ms for each"
    return Row("peers", _WHAT, TWELVE.name, "/s", Spread.of([one.pictures_s for one in rounds]), note=note)


def _against(peer: Peer, turns: list[tuple[Round, Round, float]]) -> Iterator[Row]:
    name = peer.contender.name
    faster = Spread.of([ours.pictures_s / theirs.pictures_s for ours, theirs, _ in turns])
    note = f"they make {median(theirs.pictures_s for _, theirs, _ in turns):.2f}/s"
    yield Row("peers", f"{_WHAT}, over {name}", TWELVE.name, "×", faster, peer.target, note=note)
    work = Spread.of([theirs.cpu_ms / ours.cpu_ms for ours, theirs, _ in turns])
    note = f"they take {median(theirs.cpu_ms for _, theirs, _ in turns):.0f} ms"
    yield Row("peers", f"processor time for each of {name}, over that of ours", TWELVE.name, "×", work, note=note)
    bound = Spread.of([decoders_s / theirs.pictures_s for _, theirs, decoders_s in turns])
    note = "they do nothing else, and nobody uploads"
    yield Row("peers", f"pictures a second of two bare decoders, over {name}", TWELVE.name, "×", bound, note=note)
