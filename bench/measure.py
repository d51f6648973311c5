"""Processes that take turns, and what is said about their figures."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
MIB = 1_048_576


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, lowest and highest of several measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Answer:
    """cpu_s: of all threads of the process, for this picture. outputs_px: width and height of each."""

    cpu_s: float
    outputs_px: list[tuple[int, int]]


class PeerFailed(Exception):
    """A peer could not be started, or died; the text says how."""


class Peer:
    """A process that makes the renditions of the pictures that it is given, one at a time.

    `ask` by its `way`: a process may know several.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        program = f"bench/peers/{name}.mjs"
        command = ["node", program] if (ROOT / program).exists() else [sys.executable, "-m", f"bench.peers.{name}"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, way: str, picture: Path) -> Answer:
        """Raises PeerFailed."""
        reply = self._exchange({"way": way, "picture": str(picture)})
        return Answer(reply["cpu_s"], [(width, height) for width, height in reply["outputs_px"]])

    def _exchange(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(question), file=self._process.stdin, flush=True)
            return dict(json.loads(self._process.stdout.readline()))
        except (OSError, ValueError) as error:
            raise PeerFailed(f"{self._name} ended with exit code {self._process.wait(timeout=10)}") from error


def _environment() -> dict[str, str]:
    """One thread of libvips and one heap, as in the sandbox; the Node programs read the first only."""
    return {**os.environ, "VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "1", "PYTHONPATH": str(ROOT)}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side does, again and again."""

    peer: Peer
    way: str
    picture: Path

    def take(self) -> Answer:
        return self.peer.ask(self.way, self.picture)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Processor seconds of two sides that took turns."""

    seconds: list[tuple[float, float]]

    @property
    def ratios(self) -> Spread:
        """How many times as long as the first side the second one took."""
        return Spread.of([second / first for first, second in self.seconds])

    def in_ms(self, *names: str) -> str:
        """The medians of both, by the names of the sides."""
        medians = (statistics.median(side) for side in zip(*self.seconds, strict=True))
        return ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in zip(names, medians, strict=True))


def paired(first: Turn, second: Turn, rounds: int) -> Pairs:
    """Measure both in turn, after a warm-up. Raises PeerFailed, and ValueError unless both make the same sizes."""
    turns = [(first.take(), second.take()) for _ in range(rounds + 1)]
    ours_px, theirs_px = (answer.outputs_px for answer in turns[0])
    for one, other in zip(ours_px, theirs_px, strict=True):
        if any(abs(a - b) > 1 for a, b in zip(one, other, strict=True)):  # they round differently
            raise ValueError(f"{second.way} makes other sizes: {theirs_px} instead of {ours_px}")
    return Pairs([(one.cpu_s, other.cpu_s) for one, other in turns[1:]])
