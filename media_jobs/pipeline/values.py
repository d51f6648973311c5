"""What goes into a render and what comes out of it: plain values that cross the pipe to the child as JSON."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from media_jobs.pipeline.recipes import Format, Preset, Rendition


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may cost.

    pixels: of all frames of an animation together; of one page, where a file has pages.
    ratio: decoded bytes for each byte of the file, asked of large pictures only.
    raw_preview_px: what the longer side of a raw file's preview has at least.
    room_bytes: by how much the decoder may grow, or NeedsRoom; None where the host has plenty.
    """

    bytes: int = 100 * 1_048_576
    pixels: int = 100_000_000
    frames: int = 2_000
    ratio: int = 2_000
    memory_bytes: int = 768 * 1_048_576
    raw_preview_px: int = 640
    room_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Which facts about the picture may be written down."""

    timestamps: bool = True
    camera_info: bool = True
    gps: bool = False
    device_serial: bool = False


#: The switches of `Keep` as a person reads them.
KEEP_LABELS = {"timestamps": "dates", "camera_info": "camera", "gps": "position", "device_serial": "serial numbers"}


class FactKind(StrEnum):
    TEXT = "text"  #: one line
    NUMBER = "number"
    POSITION = "position"  #: `latitude`, `longitude` in degrees, north and east positive; perhaps `altitude` in m


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a picture's metadata say of how it was taken.

    name: as the API spells it. label: as a person reads it. keep: the switch of `Keep` that it needs to be written
    down. public: whether everybody may read it who may see the picture, and not only who may read the original.
    """

    name: str
    label: str
    kind: FactKind
    keep: str
    public: bool = False


#: All facts that are extracted, by name. A new one is private unless it says otherwise. Dates are ISO 8601, with their
#: offset from UTC if that is known; exposure times seconds, such as "1/250"; focal lengths mm.
FACTS = {
    fact.name: fact
    for fact in (
        Fact("captureDate", "date taken", FactKind.TEXT, "timestamps", public=True),
        Fact("cameraMake", "camera maker", FactKind.TEXT, "camera_info", public=True),
        Fact("cameraModel", "camera model", FactKind.TEXT, "camera_info", public=True),
        Fact("lens", "lens", FactKind.TEXT, "camera_info", public=True),
        Fact("exposureTime", "exposure time", FactKind.TEXT, "camera_info", public=True),
        Fact("fNumber", "f-number", FactKind.NUMBER, "camera_info", public=True),
        Fact("iso", "ISO", FactKind.NUMBER, "camera_info", public=True),
        Fact("focalLength", "focal length", FactKind.NUMBER, "camera_info", public=True),
        Fact("gps", "position", FactKind.POSITION, "gps"),
        Fact("bodySerial", "serial number of the camera", FactKind.TEXT, "device_serial"),
        Fact("lensSerial", "serial number of the lens", FactKind.TEXT, "device_serial"),
    )
}
PUBLIC_FACTS = frozenset(name for name, fact in FACTS.items() if fact.public)


@dataclass(frozen=True, slots=True)
class Focus:
    """The point that matters, as fractions of width and height of the displayed picture."""

    x: float
    y: float

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise ValueError(f"focus {self.x}, {self.y}: from 0 to 1")


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a person knows better than the file. `rotation`: degrees clockwise, on top of the file's own orientation."""

    rotation: int = 0
    focus: Focus | None = None

    def __post_init__(self) -> None:
        if self.rotation not in (0, 90, 180, 270):
            raise ValueError(f"rotation {self.rotation}: 0, 90, 180 or 270")

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(data["rotation"], Focus(**data["focus"]) if data["focus"] else None)


@dataclass(frozen=True, slots=True)
class Rights:
    """Whose picture it is and how it was made; written into every output.

    licence: a URL. digital_source_type: a term of IPTC's vocabulary as a URL, such as whether it is made by AI.
    """

    creator: str = ""
    credit: str = ""
    copyright: str = ""
    licence: str = ""
    digital_source_type: str = ""

    def outranked_by(self, stated: Mapping[str, str]) -> "Rights":
        """Return these with the fields that a person has stated, of which an empty one says that there is none."""
        return replace(self, **stated)

    def to_json(self) -> dict[str, str]:
        """What is stated, by the API's names."""
        values = ((RIGHTS_NAMES[field], getattr(self, field)) for field in self.__slots__)
        return {name: text for name, text in values if text}


#: By field of `Rights`: its name in the API.
RIGHTS_NAMES = {
    "creator": "creator",
    "credit": "credit",
    "copyright": "copyright",
    "licence": "licence",
    "digital_source_type": "digitalSourceType",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One picture to render. `source` and `into` are absolute paths that the child can reach.

    stated_rights: fields of `Rights` that a person has stated. They go before what the file says.
    """

    source: str
    into: str
    source_sha256: str
    preset: Preset
    limits: Limits = Limits()
    keep: Keep = Keep()
    overrides: Overrides = Overrides()
    stated_rights: Mapping[str, str] = field(default_factory=dict)

    def digest(self, rendition: Rendition, *, rights: Rights, engine: str) -> str:
        """Name the bytes of one output, by all that decides them. rights: of the file."""
        return digest(
            rendition,
            source_sha256=self.source_sha256,
            overrides=self.overrides,
            rights=rights.outranked_by(self.stated_rights),
            engine=engine,
        )

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = as_json(self)
        return fields

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(
            data["source"],
            data["into"],
            data["source_sha256"],
            Preset.from_json(data["preset"]),
            Limits(**data["limits"]),
            Keep(**data["keep"]),
            Overrides.from_json(data["overrides"]),
            data["stated_rights"],
        )


def digest(rendition: Rendition, *, source_sha256: str, overrides: Overrides, rights: Rights, engine: str) -> str:
    """Name the bytes of one output, by all that decides them. rights: those that are written into it."""
    return rendition.digest(source=source_sha256, engine=engine, overrides=as_json(overrides), rights=as_json(rights))


def ingredient_digest(value: Overrides | Rights) -> str:
    """Return what tells this part of `digest` from another of its kind; empty where nothing is overridden or stated."""
    if value == type(value)():
        return ""
    return hashlib.sha256(json.dumps(as_json(value), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Output:
    """One encoded file, lying as `file` in the folder that was asked for."""

    name: str
    format: Format
    file: str
    digest: str
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "format": Format(data["format"])})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was found in a picture besides its pixels and what became of it: names only, never values.

    outputs: for every rendition what its file carries, as a scan of the finished file found it.
    """

    found: tuple[str, ...]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    outputs: dict[str, tuple[str, ...]]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        outputs = {name: tuple(carries) for name, carries in data["outputs"].items()}
        return cls(tuple(data["found"]), tuple(data["kept"]), tuple(data["dropped"]), outputs)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What a page can show before the picture is there. uri: a tiny WebP as a data URI; colour: `#rrggbb`."""

    uri: str
    colour: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a picture. Width and height are as displayed; orientation is the original's EXIF tag, 1 to 8.

    rights: as its file says, whatever a person has stated.
    """

    format: str
    width_px: int
    height_px: int
    orientation: int
    metadata: dict[str, Any]
    rights: Rights
    receipt: Receipt
    placeholder: Placeholder
    outputs: tuple[Output, ...]
    engine: str

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = as_json(self)
        return fields

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(
            **{
                **data,
                "rights": Rights(**data["rights"]),
                "receipt": Receipt.from_json(data["receipt"]),
                "placeholder": Placeholder(**data["placeholder"]),
                "outputs": tuple(Output.from_json(output) for output in data["outputs"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What one render took of the child, whatever came of it. `peak_bytes`: resident memory at its highest."""

    wall_ms: int
    cpu_ms: int
    peak_bytes: int


def as_json(value: Any) -> Any:
    """A value of this module, JSON-ready: `dataclasses.asdict` without its copies, which take eight times as long."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return {field: as_json(getattr(value, field)) for field in value.__slots__}
