"""What goes into a render and what comes out of it: plain values that cross the pipe to the child as JSON."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from media_jobs.pipeline.recipes import Preset


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may cost."""

    pixels: int = 100_000_000
    memory_bytes: int = 768 * 1_048_576


@dataclass(frozen=True, slots=True)
class Keep:
    """Which facts about the picture may be written down. Positions and serial numbers never are."""

    timestamps: bool = True
    camera_info: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """One picture to render. `source` and `into` are absolute paths that the child can reach."""

    source: str
    into: str
    source_sha256: str
    preset: Preset
    limits: Limits = Limits()
    keep: Keep = Keep()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(
            data["source"],
            data["into"],
            data["source_sha256"],
            Preset.from_json(data["preset"]),
            Limits(**data["limits"]),
            Keep(**data["keep"]),
        )


@dataclass(frozen=True, slots=True)
class Output:
    """One encoded file, lying as `file` in the folder that was asked for."""

    name: str
    file: str
    digest: str
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a picture. Width and height are as displayed; orientation is the original's EXIF tag, 1 to 8."""

    format: str
    width_px: int
    height_px: int
    orientation: int
    metadata: dict[str, Any]
    outputs: tuple[Output, ...]
    engine: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "outputs": tuple(Output(**o) for o in data["outputs"])})
