"""What was measured as text for a terminal, and as Markdown for docs/benchmarks.md."""

from collections.abc import Iterable, Sequence

from bench.rows import Results, Row

_HEAD = ("what", "picture", "measured (lowest–highest)", "target", "", "command", "note")


def text(results: Results) -> str:
    return "\n".join([*columns([_HEAD, *map(_cells, results.rows())]), "", *_machines(results), ""])


def markdown(results: Results) -> str:
    return "\n".join([*lines(_HEAD, map(_cells, results.rows())), "", *_machines(results), ""])


def columns(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines for a terminal."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def lines(head: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    return [f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *cells)]


def figure(row: Row) -> str:
    """The median with its unit, and lowest and highest."""
    if row.measured is None:
        return "not measured"
    spread, unit = row.measured, f" {row.unit}".rstrip()
    if spread.low == spread.high:
        return f"{number(spread.median, row.unit)}{unit}"
    return f"{number(spread.median)}{unit} ({number(spread.low)}–{number(spread.high)})"


def verdict(row: Row) -> str:
    if row.target is None or row.measured is None:
        return "–"
    if row.missed_by is None:
        return "met"
    return f"missed by {max(1, round(100 * row.missed_by))} %" if row.target else "missed"


def _cells(row: Row) -> tuple[str, ...]:
    target = "–" if row.target is None else f"{'≤' if row.at_most else '≥'} {row.target:g} {row.unit}".rstrip()
    return row.what, row.picture, figure(row), target, verdict(row), f"`python -m bench {row.part}`", row.note


def number(value: float, unit: str = "some") -> str:
    """Three digits; what is counted, without a unit, is whole."""
    if not unit and value == round(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _machines(results: Results) -> list[str]:
    """One line for each machine, with the parts that were measured on it."""
    parts: dict[str, list[str]] = {}
    for part, run in results.runs.items():
        where = ", ".join(f"{name} {value}".strip() for name, value in run.machine.items())
        parts.setdefault(f"{run.on} on {where}", []).append(f"{part} (load {run.load:.1f})")
    return [f"Measured on {where}: {', '.join(names)}." for where, names in parts.items()]
