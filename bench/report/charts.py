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
    "value_formatter": lambda value: f"{value:.3g}",
    "css": ["file://style.css", "file://graph.css", _SCHEMES],
    "js": [],
    "no_prefix": True,
    "disable_xml_declaration": True,
    "width": 900,
    "legend_at_bottom": True,
}
_SVG = "{http://www.w3.org/2000/svg}"


#: Ratios of the render step that the chart of speed has, by what the rows say.
_FASTER, _ONE = "render step, faster than ", "12 MP baseline"


def drawn(results: Results) -> Iterator[tuple[str, str]]:
    """Yield each chart that there are figures for: the name of its file, and the file."""
    curves = [curve for run in results.runs.values() for curve in run.curves]
    for chart in dict.fromkeys(curve.chart for curve in curves):
        yield f"{_file(chart)}.svg", _xy(chart, [curve for curve in curves if curve.chart == chart])
    speed = {
        row.what.removeprefix(_FASTER): row.measured.median
        for row in results.rows("speed")
        if row.what.startswith(_FASTER) and row.picture == _ONE and row.measured
    }
    if speed:
        yield "speed.svg", _bars(f"Render step of {_ONE}: times as long as ours", speed)


def write(results: Results, folder: Path) -> None:
    """Draw all anew; what there are no figures for goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, svg in drawn(results):
        (folder / name).write_text(svg)


def _file(chart: str) -> str:
    return re.sub(r"\W+", "-", chart.lower())


def _xy(title: str, curves: list[Curve]) -> str:
    chart = pygal.XY(**_LOOK, title=title, x_title="SSIMULACRA2", y_title="KB", height=480, dots_size=4)
    for curve in curves:
        chart.add(curve.name, list(curve.points))
    return _plain(chart)


def _bars(title: str, bars: dict[str, float]) -> str:
    chart = pygal.HorizontalBar(**{**_LOOK, "show_legend": False}, title=title, height=80 + 44 * len(bars))
    chart.x_labels = [f"{name}: {table.number(value)}" for name, value in reversed(bars.items())]  # the first on top
    chart.add("", list(bars.values())[::-1])
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
