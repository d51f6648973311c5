"""Recipes are data: which outputs are wanted of a picture."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Fit(StrEnum):
    INSIDE = "inside"  #: the longest side becomes `side_px`
    COVER = "cover"  #: a square of `side_px`, cropped to its centre


class Format(StrEnum):
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def extension(self) -> str:
        return {"jpeg": "jpg", "webp": "webp"}[self.value]

    @property
    def content_type(self) -> str:
        return f"image/{self.value}"


@dataclass(frozen=True, slots=True)
class Rendition:
    """One wanted output of a picture.

    side_px: longest side for INSIDE, both sides for COVER; never enlarged.
    quality: 1 to 100, in the encoder's own scale.
    """

    name: str
    side_px: int
    fit: Fit = Fit.INSIDE
    format: Format = Format.JPEG
    quality: int = 82

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"rendition name {self.name!r}: lower-case letters, digits and hyphens only")
        if not 1 <= self.side_px <= 16_383:  # the largest side of a WebP
            raise ValueError(f"side_px {self.side_px}: 1 to 16383")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality {self.quality}: 1 to 100")

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.format.extension}"

    def digest(self, *, source_sha256: str, engine: str) -> str:
        """Names the bytes that this rendition makes of a source: the same inputs, the same digest.

        engine: name and version of what renders.
        """
        decides = {**asdict(self), "source": source_sha256, "engine": engine}
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]


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
        renditions = tuple(
            Rendition(r["name"], r["side_px"], Fit(r["fit"]), Format(r["format"]), r["quality"])
            for r in data["renditions"]
        )
        return cls(data["name"], renditions, data["version"])


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

SHIPPED = (GALLFORMERS, INGEST)
