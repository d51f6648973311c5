"""The pictures that are measured, drawn by this code: the same bytes in every run with the same libvips."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyvips

#: Of the package mate-backgrounds.
BACKGROUNDS = Path("/usr/share/backgrounds/mate")
_LARGE_PIXELS = 8_000_000
_CACHE = Path(__file__).parent / ".cache"


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG as a camera writes it: 4:2:0, soft shapes, fine grain, about 0.8 bytes a pixel."""

    name: str
    width_px: int
    height_px: int
    progressive: bool = False
    display_p3: bool = False
    quality: int = 97

    def encoded(self) -> bytes:
        """The profile changes no other byte of the file."""
        return bytes(
            _drawn(self.width_px, self.height_px).jpegsave_buffer(
                Q=self.quality,
                subsample_mode="on",
                interlace=self.progressive,
                **({"profile": "p3"} if self.display_p3 else {}),
            )
        )

    def file(self) -> Path:
        """Drawn when first asked for, then kept."""
        recipe = repr(self).encode() + Path(__file__).read_bytes()
        path = _CACHE / f"{self.name.replace(' ', '-')}-{hashlib.sha256(recipe).hexdigest()[:8]}.jpg"
        if not path.exists():
            _CACHE.mkdir(exist_ok=True)
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(self.encoded())
            unfinished.rename(path)
        return path


TWELVE = Picture("12 MP baseline", 4000, 3000)
TWENTY_FOUR = Picture("24 MP baseline", 6000, 4000)
PROGRESSIVE = Picture("18 MP progressive", 5184, 3456, progressive=True)
SMALL = Picture("0.3 MP", 640, 480)
DISPLAY_P3 = Picture("12 MP Display-P3", 4000, 3000, display_p3=True)


def backgrounds() -> dict[str, Path]:
    """The large photos of Debian's mate-backgrounds; empty where they are not installed."""
    found = {}
    for path in sorted(BACKGROUNDS.rglob("*.jpg")):
        header = pyvips.Image.jpegload(str(path))
        if (pixels := header.width * header.height) >= _LARGE_PIXELS:
            found[f"{path.stem}, {pixels / 1e6:.0f} MP"] = path
    return found


def _drawn(width_px: int, height_px: int) -> pyvips.Image:
    size, grain = (width_px, height_px), 18.5
    shapes = [45 * pyvips.Image.perlin(*size, cell_size=256, seed=seed) + 125 for seed in (3, 4, 5)]
    detail = 18 * pyvips.Image.perlin(*size, cell_size=16, seed=9) + _noise(size, grain, seed=11)
    bands = [shape + detail + _noise(size, 0.35 * grain, seed=20 + i) for i, shape in enumerate(shapes)]
    return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")


def _noise(size_px: tuple[int, int], sigma: float, *, seed: int) -> pyvips.Image:
    return pyvips.Image.gaussnoise(*size_px, mean=0, sigma=sigma, seed=seed)
