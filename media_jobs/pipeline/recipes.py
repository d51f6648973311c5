"""Recipes are data: which outputs are wanted of a picture."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

#: No output is wider or higher: the most that a WebP can be, and within what every other format can.
LARGEST_SIDE_PX = 16_383
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Fit(StrEnum):
    INSIDE = "inside"  #: the longest side becomes `side_px`
    WIDTH = "width"  #: the width becomes `side_px`
    COVER = "cover"  #: a square of `side_px`, cropped from the middle or from what matters


class Crop(StrEnum):
    """How COVER chooses its square. A focal point that the request names goes before either."""

    CENTRE = "centre"
    ATTENTION = "attention"  #: where the picture has edges, skin tones and saturated colours


class Format(StrEnum):
    """How to encode. SOURCE and AUTO become one of the others when the picture is known."""

    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"
    PNG = "png"
    SOURCE = "source"  #: the picture's own format where it is one of these, else JPEG
    AUTO = "auto"  #: JPEG, or WebP where transparency must survive

    @property
    def extension(self) -> str:
        """The file extension of a resolved format, without a dot."""
        return {"jpeg": "jpg", "webp": "webp", "avif": "avif", "png": "png"}[self.value]

    @property
    def content_type(self) -> str:
        return f"image/{self.value}"

    def resolved(self, *, source: str, transparent: bool) -> "Format":
        """The format to encode in, for a picture whose own format is `source`."""
        if self is Format.SOURCE:
            return Format(source) if source in ("jpeg", "webp", "avif", "png") else Format.JPEG
        if self is Format.AUTO:
            return Format.WEBP if transparent else Format.JPEG
        return self


class Chroma(StrEnum):
    """How finely colour is stored, in JPEG and AVIF. WebP has 4:2:0 only, of which FULL makes the best."""

    AUTO = "auto"  #: half below quality 90, full from there on
    HALF = "4:2:0"
    FULL = "4:4:4"


@dataclass(frozen=True, slots=True)
class Rendition:
    """One wanted output of a picture.

    side_px: what `fit` says. A smaller picture keeps its size unless `enlarge`. No side passes LARGEST_SIDE_PX, so a
    very high picture becomes narrower than a WIDTH asks.
    quality: 1 to 100, in the encoder's own scale; PNG has none.
    effort: 0 (fast) to 9 (small); None for what has proved worth its time. AVIF past 3 takes ten times as long. JPEG
    has tables of its own from 5 on, is progressive from 7 on, and takes 9 for mozjpeg's trellis.
    progressive: JPEG and PNG; None for what has proved worth its time at this size.
    """

    name: str
    side_px: int
    fit: Fit = Fit.INSIDE
    format: Format = Format.JPEG
    quality: int = 82
    crop: Crop = Crop.CENTRE
    effort: int | None = None
    progressive: bool | None = None
    chroma: Chroma = Chroma.AUTO
    enlarge: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"rendition name {self.name!r}: lower-case letters, digits and hyphens only")
        if not 1 <= self.side_px <= LARGEST_SIDE_PX:
            raise ValueError(f"side_px {self.side_px}: 1 to {LARGEST_SIDE_PX}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality {self.quality}: 1 to 100")
        if self.effort is not None and not 0 <= self.effort <= 9:
            raise ValueError(f"effort {self.effort}: 0 to 9, or none")

    def file_name(self, format: Format) -> str:
        """`format` is the resolved one."""
        return f"{self.name}.{format.extension}"

    def digest(self, **decides: Any) -> str:
        """Names the bytes that this rendition makes: the same inputs, the same digest.

        decides: all else that matters as JSON-ready values: hash of the source, engine, overrides, embedded rights.
        """
        own = {field: getattr(self, field) for field in self.__slots__}  # `asdict` would copy each
        text = json.dumps({**own, **decides}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Preset:
    """A named, versioned set of renditions with distinct names."""

    name: str
    renditions: tuple[Rendition, ...]
    version: int = 1

    def __post_init__(self) -> None:
        if not self.renditions:
            raise ValueError(f"preset {self.name!r} has no renditions")
        if len({r.name for r in self.renditions}) != len(self.renditions):
            raise ValueError(f"preset {self.name!r} has two renditions of one name")

    def only(self, names: list[str]) -> "Preset":
        """The same preset reduced to the renditions in `names`."""
        return Preset(self.name, tuple(r for r in self.renditions if r.name in names), self.version)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(data["name"], tuple(map(_rendition, data["renditions"])), data["version"])


def _rendition(data: dict[str, Any]) -> Rendition:
    words = {"fit": Fit, "format": Format, "crop": Crop, "chroma": Chroma}
    fields: dict[str, Any] = {field: words[field](value) if field in words else value for field, value in data.items()}
    return Rendition(**fields)


GALLFORMERS = Preset(
    "gallformers",
    (
        Rendition("full", 2048),
        Rendition("medium", 1024),
        Rendition("small", 512),
        Rendition("thumb", 200, Fit.COVER),
    ),
)

INGEST = Preset(
    "ingest",
    (
        Rendition("thumbnail", 300, format=Format.WEBP, quality=85),
        Rendition("thumbnail-legacy", 300, format=Format.JPEG, quality=85),
        Rendition("web", 1920, format=Format.WEBP, quality=90),
        Rendition("web-legacy", 1920, format=Format.JPEG, quality=90),
    ),
)

#: What the site of Gallformers makes by itself, for the cut-over. It enlarges what is smaller; this does not.
LEGACY = Preset(
    "gallformers-legacy",
    (
        Rendition("xlarge", 2000, Fit.WIDTH, Format.SOURCE),
        Rendition("large", 1200, Fit.WIDTH, Format.SOURCE),
        Rendition("medium", 800, Fit.WIDTH, Format.SOURCE),
        Rendition("small", 300, Fit.WIDTH, Format.SOURCE),
    ),
)

SHIPPED = (GALLFORMERS, INGEST, LEGACY)
