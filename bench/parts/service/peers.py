"""Whole services that take the same uploads in turns: `python -m bench peers`.

Each stores the original and the four sizes. Client and service share the processors, as they do with all of them.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

from bench import node
from bench.measure import Spread
from bench.pictures import TWELVE
from bench.rows import Row
from bench.services import start
from bench.services.contender import CONNECTIONS, Contender, Load, Round

_ROUNDS = 3
_LOAD = Load(TWELVE, 24)
#: Jimp takes seconds for each.
_FEW = replace(_LOAD, count=CONNECTIONS)
_SHARP, _JIMP, _DJANGO = 2.0, 15.0, 2.5


def rows(rounds: int) -> Iterator[Row]:
    rounds = min(rounds, _ROUNDS)
    with ExitStack() as stack:
        ours, _ = stack.enter_context(start.ours())
        peers, missing = _peers(stack)
        entered = [(ours, _LOAD, None), *peers]
        for contender, load, _ in entered:  # they warm up
            contender.take(replace(load, count=CONNECTIONS))
        turns = [[contender.take(load) for contender, load, _ in entered] for _ in range(rounds)]
    yield _rate(ours.name, [turn[0] for turn in turns])
    for number, (peer, _, target) in enumerate(peers, start=1):
        yield from _against(peer.name, [(turn[0], turn[number]) for turn in turns], target)
    yield from missing


def _peers(stack: ExitStack) -> tuple[list[tuple[Contender, Load, float | None]], list[Row]]:
    """Each with its load and the target, and rows for those that cannot be started here."""
    peers: list[tuple[Contender, Load, float | None]] = [
        (stack.enter_context(start.plain_django()), _LOAD, _DJANGO),
        (stack.enter_context(start.plain_django(shrinks_in_place=True)), _LOAD, None),
    ]
    missing = []
    for library, load, target in (("sharp", _LOAD, _SHARP), ("Jimp", _FEW, _JIMP)):
        try:
            peers.append((stack.enter_context(start.in_node(library)), load, target))
        except node.NotInstalled as error:
            what = f"pictures a second of the whole service, over Node and {library}"
            missing.append(Row("peers", what, TWELVE.name, "×", None, target, note=str(error)))
    return peers, missing


def _rate(name: str, rounds: list[Round]) -> Row:
    note = f"{name} while they are uploaded; processor time {median(turn.cpu_ms for turn in rounds):.0f} ms for each"
    rates = Spread.of([turn.pictures_s for turn in rounds])
    return Row("peers", "pictures a second of the whole service", TWELVE.name, "/s", rates, note=note)


def _against(name: str, pairs: list[tuple[Round, Round]], target: float | None) -> Iterator[Row]:
    faster = Spread.of([ours.pictures_s / theirs.pictures_s for ours, theirs in pairs])
    note = f"they make {median(theirs.pictures_s for _, theirs in pairs):.2f}/s"
    what = f"pictures a second of the whole service, over {name}"
    yield Row("peers", what, TWELVE.name, "×", faster, target, note=note)
    work = Spread.of([theirs.cpu_ms / ours.cpu_ms for ours, theirs in pairs])
    note = f"they take {median(theirs.cpu_ms for _, theirs in pairs):.0f} ms"
    what = f"processor time for each of {name}, over that of ours"
    yield Row("peers", what, TWELVE.name, "×", work, note=note)
