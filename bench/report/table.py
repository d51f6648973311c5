"""A run as text for a terminal, and as Markdown for docs/benchmarks.md."""

from bench.measure import Spread
from bench.rows import Row, Run

_HEAD = ("what", "picture", "measured (lowest–highest)", "target", "", "command", "note")


def text(run: Run) -> str:
    lines = [_HEAD, *(_cells(row) for row in run.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*table, "", _machine(run), ""])


def markdown(run: Run) -> str:
    lines = [_HEAD, ("---",) * len(_HEAD), *(_cells(row) for row in run.rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", _machine(run), ""])


def _cells(row: Row) -> tuple[str, ...]:
    target = "–" if row.target is None else f"{'≤' if row.at_most else '≥'} {row.target:g} {row.unit}"
    measured = "not measured" if row.measured is None else _spread(row.measured, row.unit)
    return row.what, row.picture, measured, target, _verdict(row), f"`python -m bench {row.part}`", row.note


def _spread(spread: Spread, unit: str) -> str:
    if spread.low == spread.high:
        return f"{_number(spread.median)} {unit}"
    return f"{_number(spread.median)} {unit} ({_number(spread.low)}–{_number(spread.high)})"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _verdict(row: Row) -> str:
    if row.target is None or row.measured is None:
        return "–"
    return "met" if row.missed_by is None else f"missed by {max(1, round(100 * row.missed_by))} %"


def _machine(run: Run) -> str:
    return "Measured on " + ", ".join(f"{name} {value}".strip() for name, value in run.machine.items()) + "."
