"""The charts of docs/benchmarks.md: SVG for both colour schemes, without scripts, with whatever font there is."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from bench.report import table
from bench.rows import Curve, Results

# It looks for maps at each import of anything, in a way that Python warns of since 3.10.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]

#: Told apart on white and on black, also by those who see few colours: Okabe and Ito's, without black and yellow.
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c")
_SCHEMES = """inline:
svg { --ground: #ffffff; --ink: #1f2328; --lines: #d1d9e0; }
@media (prefers-color-scheme: dark) { svg { --ground: #0d1117; --ink: #f0f6fc; --lines: #3d444d; } }
"""
_STYLE = Style(
    background="var(--ground)",
    plot_background="var(--ground)",
    foreground="var(--ink)",
    foreground_strong="var(--ink)",
    foreground_subtle="var(--ink)",
    guide_stroke_color="var(--lines)",
    major_guide_stroke_color="var(--lines)",
    value_colors=("var(--ink)",) * len(_COLOURS),
    colors=_COLOURS,
    opacity="1",
    stroke_opacity="1",
    stroke_width="2",
    font_family="system-ui, sans-serif",
    label_font_size=14,
    major_label_font_size=14,
    value_font_size=14,
    legend_font_size=14,
    title_font_size=18,
    transition="0s",
)
_LOOK = {
    "style": _STYLE,
    "value_formatter": lambda value: f"{value:,.4g}",
    "css": ["file://style.css", "file://graph.css", _SCHEMES],
    "js": [],
    "no_prefix": True,
    "disable_xml_declaration": True,
    "width": 900,
    "legend_at_bottom": True,
}
_SVG = "{http://www.w3.org/2000/svg}"


#: The rows that the chart of speed is drawn of.
_FASTER, _ONE = "render step, faster than ", "12 MP baseline"


def drawn(results: Results) -> Iterator[tuple[str, str]]:
    """Yield each chart that there are figures for: the name of its file, and the file."""
    for title, curves in _charts(results).items():
        draw = _bars if isinstance(curves[0].points[0][0], str) else _lines
        yield _file(title), draw(title, curves)


def markdown(results: Results) -> str:
    """The charts as docs/benchmarks.md has them."""
    return "\n".join(f"![{title}](images/bench/{_file(title)})\n" for title in _charts(results))


def _charts(results: Results) -> dict[str, list[Curve]]:
    curves = [curve for run in results.runs.values() for curve in run.curves]
    speed = tuple(
        (row.what.removeprefix(_FASTER), row.measured.median)
        for row in results.rows("speed")
        if row.what.startswith(_FASTER) and row.picture == _ONE and row.measured
    )
    if speed:
        curves.append(Curve(f"Render step of {_ONE}: times as long as ours", "", speed))
    return {chart: [c for c in curves if c.chart == chart] for chart in dict.fromkeys(c.chart for c in curves)}


def write(results: Results, folder: Path) -> None:
    """Draw all anew; what there are no figures for goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, svg in drawn(results):
        (folder / name).write_text(svg)


def _file(title: str) -> str:
    return re.sub(r"\W+", "-", title.partition(":")[0].lower()) + ".svg"


def _lines(title: str, curves: list[Curve]) -> str:
    chart = pygal.XY(**_LOOK, title=title, x_title="SSIMULACRA2", y_title="KB", height=480, dots_size=4)
    for curve in curves:
        chart.add(curve.name, list(curve.points))
    return _plain(chart)


def _bars(title: str, curves: list[Curve]) -> str:
    """The first bar on top; lengths stand beside the names."""
    names = list(dict.fromkeys(name for curve in curves for name, _ in curve.points))[::-1]
    look = {**_LOOK, "show_legend": len(curves) > 1}
    chart = pygal.HorizontalBar(**look, title=title, height=120 + 44 * len(names))
    lengths = [dict(curve.points) for curve in curves]
    chart.x_labels = [f"{name}: {' | '.join(table.number(of[name]) for of in lengths if name in of)}" for name in names]
    for curve, length in zip(curves, lengths, strict=True):
        chart.add(curve.name, [length.get(name) for name in names])
    return _plain(chart)


def _plain(chart: Any) -> str:
    """Without scripts, without what only they show, and without the day: the same figures, the same file."""
    root = ElementTree.fromstring(chart.render())
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{_SVG}script", f"{_SVG}desc") or "tooltip" in child.get("class", "").split():
                parent.remove(child)
    ElementTree.register_namespace("", _SVG[1:-1])
    return ElementTree.tostring(root, encoding="unicode") + "\n"
