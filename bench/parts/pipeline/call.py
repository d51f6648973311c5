"""The whole call of the sandbox against the render step alone, and a Display-P3 photo against an untagged one."""

import time
from collections.abc import Iterator
from pathlib import Path

from bench import pictures
from bench.child import Child, child, sha256
from bench.measure import Pairs, Peer, Turn, paired
from bench.parts.pipeline.speed import STEP
from bench.rows import Row


def rows(rounds: int) -> Iterator[Row]:
    with Peer("ours") as ours:
        for picture in (pictures.TWELVE, pictures.TWENTY_FOUR):
            pairs = _step_and_call(ours, picture.file(), rounds)
            what = "whole call of the sandbox with the source's hash, as long as its render step"
            note = f"{pairs.in_ms('step', 'call')}, of which the source's hash {1000 * _hash_s(picture.file()):.0f} ms"
            yield Row("call", what, picture.name, "×", pairs.ratios, 1.1, at_most=True, note=note)
        plain, tagged = (Turn(ours, STEP, picture.file()) for picture in (pictures.TWELVE, pictures.DISPLAY_P3))
        pairs = paired(plain, tagged, rounds)
        what = "render step, as long as of the same picture untagged"
        note = pairs.in_ms("untagged", "tagged")
        yield Row("call", what, pictures.DISPLAY_P3.name, "×", pairs.ratios, 1.25, at_most=True, note=note)


def _step_and_call(ours: Peer, picture: Path, rounds: int) -> Pairs:
    with child(picture) as whole:
        seconds = [(ours.ask(STEP, picture).cpu_s, _cpu_s(whole)) for _ in range(rounds + 1)]
    return Pairs(seconds[1:])


def _hash_s(picture: Path) -> float:
    started_s = time.process_time()
    sha256(picture)
    return time.process_time() - started_s


def _cpu_s(whole: Child) -> float:
    """Return the processor time of this process and the child together."""
    started_s = time.process_time()
    usage = whole.render()
    return time.process_time() - started_s + usage.cpu_ms / 1000
