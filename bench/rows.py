"""One line of the table, and what each part measured, as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from bench.measure import Spread


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `target` is the least or, if `at_most`, the most that it may be; None: for information only.

    part: of `python -m bench`, makes it. measured: None where something is missing; `note` says what.
    """

    part: str
    what: str
    picture: str
    unit: str
    measured: Spread | None
    target: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def missed_by(self) -> float | None:
        """Return by how much the target is missed, as a share of it; None if it is met, or there is nothing to meet.

        Where the target is nothing at all, as many as were measured.
        """
        if self.measured is None or self.target is None:
            return None
        over = self.measured.median - self.target
        return abs(over / (self.target or 1)) if (over > 0 if self.at_most else over < 0) else None


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart; a part may yield some among its rows.

    points: x and y of each; or name and length of each, of a chart with bars.
    """

    chart: str
    name: str
    points: tuple[tuple[float | str, float], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """All that one part measured at one time. on: the day. load: as it began. machine: processor, cores, versions."""

    on: str
    load: float
    machine: dict[str, str]
    rows: tuple[Row, ...]
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """The last run of each part. A part that is measured again takes the place of its own run and of no other."""

    runs: dict[str, Run]

    def with_run(self, part: str, run: Run) -> Self:
        return type(self)({**self.runs, part: run})

    def rows(self, *parts: str) -> Iterator[Row]:
        """Yield what these parts measured, or all."""
        for part in parts or self.runs:
            if part in self.runs:
                yield from self.runs[part].rows

    def save(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self)["runs"], indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Nothing, if there is no such file."""
        data = json.loads(path.read_text()) if path.exists() else {}
        return cls({part: _run(run) for part, run in data.items()})


def _run(data: dict[str, Any]) -> Run:
    rows, curves = tuple(map(_row, data["rows"])), tuple(map(_curve, data["curves"]))
    return Run(data["on"], data["load"], data["machine"], rows, curves)


def _row(data: dict[str, Any]) -> Row:
    return Row(**{**data, "measured": Spread(**data["measured"]) if data["measured"] else None})


def _curve(data: dict[str, Any]) -> Curve:
    return Curve(data["chart"], data["name"], tuple((x, y) for x, y in data["points"]))
