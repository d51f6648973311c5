"""Draws two sample photographs of plant galls, with the metadata of a camera: `python -m media_jobs.demo.draw FOLDER`.

They show a newcomer the service at work, and that it removes a position. This loads libvips without its lock: run it
in a process of its own, never in the decoder's.
"""

import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyvips

from media_jobs.demo.exif_writer import Facts, with_facts

_QUALITY = 90
#: Shapes are drawn at this share of the photograph's size, the blurred background at a smaller one.
_DRAWN_AT = 0.5
_BACKGROUND_AT = 0.04

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Two SVG documents of one size, as displayed."""

    width_px: int
    height_px: int
    background: str
    shapes: str


def main(folder: Path) -> list[Path]:
    """Write both photographs into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _photograph(folder / "oak-apple-galls.jpg", _oak_leaf(), _facts(1, 47.3769, 8.5417)),
        _photograph(folder / "bedeguar-gall.jpg", _rose(), _facts(6, 51.4780, -0.0015)),
    ]


def _facts(orientation: int, latitude: float, longitude: float) -> Facts:
    return Facts(
        orientation=orientation,
        make="Gallmann",
        model="Synthetic One",
        serial="SAMPLE-0042",
        taken=datetime(2025, 6, 14, 10, 30, tzinfo=timezone(timedelta(hours=2))),
        latitude=latitude,
        longitude=longitude,
        maker_note=b"Drawn by gallimg; not a real photograph",
        creator="gallimg samples",
    )


def _photograph(path: Path, drawing: Drawing, facts: Facts) -> Path:
    """Write the drawing as a camera would: at orientation 6 the picture is stored lying on its side."""
    picture = _with_grain(_drawn(drawing))
    stored = (picture.rot270() if facts.orientation == 6 else picture).copy_memory()
    jpeg = stored.jpegsave_buffer(Q=_QUALITY, keep="none")
    small = stored.resize(160 / stored.width).jpegsave_buffer(Q=70, keep="none")
    path.write_bytes(with_facts(jpeg, replace(facts, thumbnail_jpeg=small)))
    return path


def _drawn(drawing: Drawing) -> pyvips.Image:
    """Sharp shapes over leaves and light that are far out of focus, at full size."""
    far = pyvips.Image.svgload_buffer(drawing.background.encode(), scale=_BACKGROUND_AT).flatten().gaussblur(4)
    near = pyvips.Image.svgload_buffer(drawing.shapes.encode(), scale=_DRAWN_AT)
    behind = far.resize(near.width / far.width, vscale=near.height / far.height, kernel="cubic")
    both = behind.composite2(near, "over").flatten().copy_memory()
    return both.resize(drawing.width_px / both.width, vscale=drawing.height_px / both.height, kernel="linear")


def _with_grain(picture: pyvips.Image) -> pyvips.Image:
    """What a sensor adds: fine noise, the same in every channel, and darker corners."""
    width, height = picture.width, picture.height
    grain = pyvips.Image.gaussnoise(width, height, mean=0, sigma=5, seed=7)
    place = pyvips.Image.xyz(64, 64) / 31.5 - 1
    light = 1.06 - 0.16 * (place[0] * place[0] + place[1] * place[1])
    light = light.resize(width / 64, vscale=height / 64, kernel="linear")
    return ((picture + grain) * light).cast("uchar").copy(interpretation="srgb")


# --- an oak leaf with oak apples ------------------------------------------------------------------


def _oak_leaf() -> Drawing:
    chance = random.Random(11)  # noqa: S311  (a drawing)
    galls = (
        (1480, 1290, 178), (2020, 1720, 212), (2560, 1330, 165), (2950, 1640, 120), (1130, 1650, 118),
        (1840, 1130, 84), (2390, 1950, 92),
    )  # fmt: skip
    background = _background(chance, 4000, 3000, ("#7d9a3c", "#a9bf5a", "#4f6d2a", "#c8cf86", "#38542a"))
    shapes = _svg(
        4000,
        3000,
        _gradients(),
        '<g transform="rotate(-9 2000 1500)">',
        '<path d="M3560 1520 C3720 1530 3860 1590 4060 1700" stroke="#7a6a35" stroke-width="34" fill="none"/>',
        f'<path d="{_lobed_leaf()}" fill="#0d1a08" opacity="0.35" transform="translate(46 74)" filter="url(#soft)"/>',
        f'<path d="{_lobed_leaf()}" fill="url(#leaf)" stroke="#3d5c1e" stroke-width="7"/>',
        *_veins(chance),
        "</g>",
        *(_gall(x, y, r, chance) for x, y, r in galls),
    )
    return Drawing(4000, 3000, background, shapes)


def _lobed_leaf() -> str:
    """The outline of an oak leaf that lies along the x axis, tip to the left, as a path."""
    points: list[Point] = []
    steps = 240
    for side in (1, -1):
        for i in range(steps + 1):
            share = i / steps if side == 1 else 1 - i / steps
            width = 640 * math.sin(math.pi * share**0.82) ** 0.62
            lobes = 1 - 0.30 * (0.5 + 0.5 * math.cos(share * 11.2 * math.pi + 0.35 * side)) * math.sin(math.pi * share)
            points.append((430 + 3150 * share, 1520 - side * max(10.0, width * lobes)))
    return "M" + " L".join(f"{x:.0f} {y:.0f}" for x, y in points) + " Z"


def _veins(chance: random.Random) -> Iterator[str]:
    yield '<path d="M520 1520 C1500 1500 2600 1535 3570 1520" stroke="#c9d489" stroke-width="24" fill="none"/>'
    yield '<path d="M520 1526 C1500 1508 2600 1543 3570 1530" stroke="#4d6b22" stroke-width="8" fill="none"/>'
    for i in range(11):
        start = 820 + i * 245
        reach = (420 if i > 1 else 300) * math.sin(math.pi * (start - 430) / 3150) ** 0.6
        for side in (-1, 1):
            x, y = start - 260 - chance.uniform(0, 60), 1520 + side * reach
            bend = f"M{start} 1520 Q{start - 130:.0f} {1520 + side * reach * 0.35:.0f} {x:.0f} {y:.0f}"
            yield f'<path d="{bend}" stroke="#bccb78" stroke-width="11" fill="none" opacity="0.85"/>'
            shade = 'stroke="#49661f" stroke-width="4" opacity="0.8" transform="translate(5 7)"'
            yield f'<path d="{bend}" {shade} fill="none"/>'
    for _ in range(900):
        x = chance.uniform(800, 3200)
        y = 1520 + chance.uniform(-330, 330) * math.sin(math.pi * (x - 430) / 3150)
        colour, length = chance.choice(("#8fa84a", "#587a28", "#6d8c33")), chance.uniform(6, 30)
        yield f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="{length:.0f}" ry="4" fill="{colour}" opacity="0.28"/>'


def _gall(x: float, y: float, radius: float, chance: random.Random) -> str:
    shadow = (
        f'<ellipse cx="{x + radius * 0.28:.0f}" cy="{y + radius * 0.42:.0f}" rx="{radius * 1.02:.0f}" '
        f'ry="{radius * 0.9:.0f}" fill="#0d1a08" opacity="0.45" filter="url(#soft)"/>'
    )
    ball = f'<circle cx="{x}" cy="{y}" r="{radius}" fill="url(#gall{chance.randrange(2)})"/>'
    specks = "".join(_speck(x, y, radius, chance) for _ in range(int(radius * 0.7)))
    light = (
        f'<ellipse cx="{x - radius * 0.34:.0f}" cy="{y - radius * 0.42:.0f}" rx="{radius * 0.24:.0f}" '
        f'ry="{radius * 0.15:.0f}" fill="#fff" opacity="0.55" filter="url(#gleam)" transform="rotate(-35 {x} {y})"/>'
    )
    return shadow + ball + specks + light


def _speck(x: float, y: float, radius: float, chance: random.Random) -> str:
    angle, far = chance.uniform(0, math.tau), math.sqrt(chance.random()) * 0.92
    size = chance.uniform(1.5, radius * 0.035)
    colour = chance.choice(("#f6d7b0", "#8d2f22", "#f2c078", "#a8432e"))
    return (
        f'<circle cx="{x + radius * far * math.cos(angle):.0f}" cy="{y + radius * far * math.sin(angle):.0f}" '
        f'r="{size:.1f}" fill="{colour}" opacity="0.5"/>'
    )


# --- a rose stem with a bedeguar gall -------------------------------------------------------------


def _rose() -> Drawing:
    chance = random.Random(5)  # noqa: S311  (a drawing)
    background = _background(chance, 2000, 3000, ("#31502f", "#587a46", "#86a169", "#233a26", "#a8b98c"))
    stem = "M1060 3100 C1010 2450 930 2000 985 1500 C1030 1080 1120 600 1060 -100"
    shadow = 'stroke="#0c160a" stroke-width="70" opacity="0.35" filter="url(#soft)" transform="translate(34 20)"'
    shapes = _svg(
        2000,
        3000,
        _gradients(),
        f'<path d="{stem}" {shadow} fill="none"/>',
        *(_thorn(x, y, side) for x, y, side in _THORNS),
        f'<path d="{stem}" stroke="url(#stem)" stroke-width="62" fill="none"/>',
        *_leaflets(990, 2560, 1),
        *_leaflets(1075, 560, -1),
        *_moss(990, 1430, chance),
    )
    return Drawing(2000, 3000, background, shapes)


#: On the stem's edge: x, y, and to which side.
_THORNS = ((1032, 2780, 1), (990, 2400, -1), (970, 2180, 1), (1075, 640, 1), (1082, 330, 1), (1068, 130, -1))


def _thorn(x: float, y: float, side: int) -> str:
    return (
        f'<path d="M{x} {y - 52} Q{x + side * 70} {y - 22} {x + side * 122} {y + 36} Q{x + side * 60} {y + 30} '
        f'{x} {y + 54} Z" fill="#a34a3a" stroke="#6d2b22" stroke-width="4"/>'
    )


def _leaflets(x: float, y: float, side: int) -> Iterator[str]:
    for far, angle, size in ((150, -58, 0.8), (330, 48, 0.95), (400, -52, 1.0), (640, -4, 1.15)):
        at = f"translate({x + side * far:.0f} {y - far * 0.30:.0f}) scale({side * size:.2f} {size:.2f}) rotate({angle})"
        yield (
            f'<g transform="{at}"><path d="M0 0 Q150 -130 340 0 Q150 130 0 0" fill="url(#rose)" stroke="#2f4a22" '
            'stroke-width="5"/><path d="M0 0 L320 0 M80 0 l50 -50 M80 0 l50 50 M160 0 l52 -46 M160 0 l52 46 M235 0 '
            'l36 -28 M235 0 l36 28" stroke="#a9c27f" stroke-width="5" fill="none" opacity="0.8"/></g>'
        )
    bend = f"M{x} {y} Q{x + side * 300:.0f} {y - 60:.0f} {x + side * 650:.0f} {y - 195:.0f}"
    yield f'<path d="{bend}" stroke="#5d7a3a" stroke-width="13" fill="none"/>'


def _moss(x: float, y: float, chance: random.Random) -> Iterator[str]:
    """The gall's mossy filaments, the outermost first, so that the light ones lie on top."""
    yield f'<ellipse cx="{x + 60}" cy="{y + 110}" rx="560" ry="530" fill="#081006" opacity="0.4" filter="url(#soft)"/>'
    yield f'<circle cx="{x}" cy="{y}" r="400" fill="#6d1f22"/>'
    colours = ("#7d2427", "#a8332f", "#c9473a", "#d9694a", "#b8c25a", "#e58a5e", "#93a84a", "#efb083")
    count = 3400
    for i in range(count):
        share = i / count
        angle = chance.uniform(0, math.tau)
        root = 18 + 382 * (1 - share) ** 0.5
        length = chance.uniform(110, 240) * (0.55 + 0.45 * (1 - share))
        x0, y0 = x + root * math.cos(angle), y + root * math.sin(angle)
        lean = angle + chance.uniform(-0.7, 0.7)
        x2, y2 = x0 + length * math.cos(lean), y0 + length * math.sin(lean) + 14
        x1, y1 = x0 + length * 0.6 * math.cos(angle), y0 + length * 0.6 * math.sin(angle)
        lit = min(7, max(0, int(2 + 4 * share - 2.6 * math.sin(angle) + chance.uniform(-1.6, 1.6))))
        yield (
            f'<path d="M{x0:.0f} {y0:.0f} Q{x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}" stroke="{colours[lit]}" '
            f'stroke-width="{chance.uniform(4, 9):.1f}" fill="none" stroke-linecap="round" opacity="0.9"/>'
        )


# --- what both share ------------------------------------------------------------------------------


def _svg(width_px: int, height_px: int, *parts: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}">'
    return head + "".join(parts) + "</svg>"


def _background(chance: random.Random, width_px: int, height_px: int, colours: tuple[str, ...]) -> str:
    spots = (
        f'<circle cx="{chance.uniform(0, width_px):.0f}" cy="{chance.uniform(0, height_px):.0f}" '
        f'r="{chance.uniform(120, 460):.0f}" fill="{chance.choice(colours)}" '
        f'opacity="{chance.uniform(0.3, 0.75):.2f}"/>'
        for _ in range(60)
    )
    return _svg(width_px, height_px, f'<rect width="100%" height="100%" fill="{colours[2]}"/>', *spots)


def _gradients() -> str:
    return (
        "<defs>"
        '<filter id="soft" x="-30%" y="-30%" width="160%" height="160%"><feGaussianBlur stdDeviation="34"/></filter>'
        '<filter id="gleam" x="-60%" y="-60%" width="220%" height="220%"><feGaussianBlur stdDeviation="9"/></filter>'
        '<linearGradient id="leaf" x1="0" y1="0" x2="0.25" y2="1"><stop offset="0" stop-color="#8fb043"/>'
        '<stop offset="0.5" stop-color="#6f9434"/><stop offset="1" stop-color="#4a6f24"/></linearGradient>'
        '<linearGradient id="rose" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#7fa058"/>'
        '<stop offset="1" stop-color="#3f6330"/></linearGradient>'
        '<linearGradient id="stem" gradientUnits="userSpaceOnUse" x1="930" y1="0" x2="1090" y2="0">'
        '<stop offset="0" stop-color="#86a155"/><stop offset="0.6" stop-color="#5f7f3a"/>'
        '<stop offset="1" stop-color="#7a3f33"/></linearGradient>'
        '<radialGradient id="gall0" cx="0.36" cy="0.3" r="0.8"><stop offset="0" stop-color="#f7d08a"/>'
        '<stop offset="0.35" stop-color="#e58f4c"/><stop offset="0.75" stop-color="#b8452f"/>'
        '<stop offset="1" stop-color="#6f1d1c"/></radialGradient>'
        '<radialGradient id="gall1" cx="0.36" cy="0.3" r="0.8"><stop offset="0" stop-color="#f3e19a"/>'
        '<stop offset="0.4" stop-color="#d9b352"/><stop offset="0.78" stop-color="#b55a34"/>'
        '<stop offset="1" stop-color="#73281e"/></radialGradient>'
        "</defs>"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
