"""One line of the table, and a whole run as JSON."""

import json
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
        """Return by how much the target is missed, as a share of it; None if it is met, or there is nothing to meet."""
        if self.measured is None or self.target is None:
            return None
        share = self.measured.median / self.target - 1
        return abs(share) if (share > 0 if self.at_most else share < 0) else None


@dataclass(frozen=True, slots=True)
class Run:
    """All that was measured at one time. machine: processor, cores and versions."""

    machine: dict[str, str]
    rows: tuple[Row, ...]

    def save(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        data = json.loads(path.read_text())
        return cls(data["machine"], tuple(_row(row) for row in data["rows"]))


def _row(data: dict[str, Any]) -> Row:
    return Row(**{**data, "measured": Spread(**data["measured"]) if data["measured"] else None})
