"""How near one picture comes to another: structure, detail, place, colours. Pictures are of one size, upright.

Importing this loads libvips and scikit-image. Luminance is in grey levels, 0 to 255.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from skimage.metrics import structural_similarity

from media_jobs.pipeline.orientation import UPRIGHT

Plane = NDArray[np.float32]

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_WINDOW = 7
#: SSIM's second constant: where there is less contrast than that, it looks away.
_C2 = (0.03 * 255) ** 2
_CELLS, _BEST_CELLS = 6, 4
#: In grey levels, as the fine detail is in which it is lost.
_GRAIN = 2.0
#: In Lab, as a colour is that one hardly sees.
_GREY = 3.0
_PART = 8
_THUMB_PX = 32
#: How well another orientation must fit to be believed, and by how much better than upright.
_WELL, _PLAINLY = 0.8, 0.08
#: EXIF's value → how it is made upright, as `orientation.turn` does it to images.
TURNS: dict[int, Callable[[Plane], Plane]] = {
    1: lambda plane: plane,
    2: np.fliplr,
    3: lambda plane: np.rot90(plane, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda plane: np.rot90(plane, -1),
    7: lambda plane: np.rot90(plane, 2).T,
    8: np.rot90,
}


def luminance(image: pyvips.Image) -> Plane:
    """Of an image in sRGB, three bands of 8 bits."""
    return _luminance(image.numpy())


def turned(plane: Plane, reference: Plane) -> int:
    """How what one picture shows lies, seen from the other, as EXIF counts. In doubt 1, upright."""
    thumb, wanted = _thumb(plane), _thumb(reference)
    likeness = {way: _correlation(turn(thumb), wanted) for way, turn in TURNS.items()}
    best = max(likeness, key=lambda way: likeness[way])
    return best if likeness[best] > max(_WELL, likeness[UPRIGHT] + _PLAINLY) else UPRIGHT


def colours(image: pyvips.Image, shrunk_by: int) -> pyvips.Image:
    """An image in sRGB so many times smaller, in Lab and in memory."""
    across, down = min(shrunk_by, image.width), min(shrunk_by, image.height)
    return image.shrink(across, down).colourspace("lab").copy_memory()


def ssim(one: Plane, other: Plane) -> float:
    """Structural similarity by a uniform window; 1 for pictures that are too small to have a structure."""
    if min(one.shape) < _WINDOW:
        return 1.0
    return float(structural_similarity(one, other, win_size=_WINDOW, data_range=255.0))


def delta_e(one: pyvips.Image, other: pyvips.Image) -> tuple[float, float]:
    """ΔE2000 between two images in Lab: on average, and in the worst part of them."""
    difference = np.atleast_2d(one.dE00(other).numpy())
    parts = uniform_filter(difference, min(_PART, *difference.shape), mode="nearest")
    return float(difference.mean()), float(parts.max())


def vividness(colours: pyvips.Image, reference: pyvips.Image) -> float:
    """How much of the reference's colour, in Lab, is in the picture; 1 where the reference has hardly any."""
    there, wanted = (image.extract_band(1, n=2).numpy().astype(np.float32) for image in (colours, reference))
    grey = _GREY**2 * wanted.size
    return float(((there * wanted).sum() + grey) / ((wanted * wanted).sum() + grey))


@dataclass(frozen=True)
class Whole:
    """A reference at one size, and what is reckoned of it once for all pictures that are compared with it."""

    luma: Plane

    def moved(self, plane: Plane) -> tuple[float, float]:
        """How far the picture lies to the right and down, in its pixels; good for up to one."""
        if min(plane.shape) < _WINDOW:
            return 0.0, 0.0
        right, down = self._solve @ plane.ravel()
        return -float(right), -float(down)

    @cached_property
    def fading(self) -> float:
        """By how much SSIM falls for each square grey level of noise: it is most where there is the least contrast."""
        if min(self.luma.shape) < _WINDOW:
            return 0.0
        mean, mean_of_squares = uniform_filter(self.luma, _WINDOW), uniform_filter(self.luma**2, _WINDOW)
        variance = np.maximum(mean_of_squares - mean**2, 0)
        return float((1 / (2 * variance + _C2)).mean())

    @cached_property
    def _solve(self) -> NDArray[np.float32]:
        """Two rows: times a picture, they are the shares of the reference's slopes to the right and down in it.

        Least squares of picture = a + b · reference + c · slope to the right + d · slope down.
        """
        down, right = np.gradient(self.luma)
        terms = np.stack([right.ravel(), down.ravel(), self.luma.ravel(), np.ones(self.luma.size, np.float32)])
        rows: NDArray[np.float32] = (np.linalg.pinv(terms @ terms.T) @ terms)[:2]
        return rows

    @cached_property
    def cells(self) -> list[tuple[int, int]]:
        """Column and row of those parts of the picture that have the finest detail; none where there are no parts."""
        if min(self.luma.shape) < _CELLS:
            return []
        energy = _fine(self.luma) ** 2
        rows = np.array_split(energy, _CELLS, axis=0)
        means = np.array([[cell.mean() for cell in np.array_split(row, _CELLS, axis=1)] for row in rows])
        best = np.argsort(means, axis=None)[::-1][:_BEST_CELLS]
        return [(int(at % _CELLS), int(at // _CELLS)) for at in best]

    def finest(self, image: pyvips.Image) -> list[Plane]:
        """The fine detail of those parts, in an image of the same picture at whatever size it has."""
        pixels = image.numpy()
        rows, columns = (np.array_split(range(side), _CELLS) for side in pixels.shape[:2])
        return [_fine(_luminance(pixels[_span(rows[row]), _span(columns[column])])) for column, row in self.cells]


def detail(parts: list[Plane], reference: list[Plane]) -> float:
    """How much of the reference's fine detail is in the picture. Noise and traces, there besides, do not count.

    Where the reference has hardly any, it is 1, whatever the picture has: that little is grain, which encoders smooth.
    """
    if not reference:
        return 1.0
    there = sum(float((part * wanted).sum()) for part, wanted in zip(parts, reference, strict=True))
    wanted = sum(float((wanted * wanted).sum()) for wanted in reference)
    grain = _GRAIN**2 * sum(wanted.size for wanted in reference)
    return (there + grain) / (wanted + grain)


def _luminance(pixels: NDArray[np.uint8]) -> Plane:
    plane: Plane = pixels.astype(np.float32) @ _LUMINANCE
    return plane


def _thumb(plane: Plane) -> Plane:
    """A square of it, so small that only its large shapes are left."""
    rows, columns = (np.linspace(0, side - 1, _THUMB_PX).round().astype(int) for side in plane.shape)
    thumb: Plane = uniform_filter(plane, _WINDOW, mode="nearest")[np.ix_(rows, columns)]
    return thumb


def _span(places: NDArray[np.int_]) -> slice:
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)


def _fine(plane: Plane) -> Plane:
    """What differs from pixel to pixel."""
    fine: Plane = plane - uniform_filter(plane, 3, mode="nearest")
    return fine


def _correlation(one: Plane, other: Plane) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one * one).sum() * (other * other).sum()))
    product: Any = (one * other).sum()
    return float(product) / size if size else 0.0
