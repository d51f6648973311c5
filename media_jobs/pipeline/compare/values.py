"""What goes into a comparison and what comes out of it: plain values that cross the pipe to the child as JSON."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from media_jobs.pipeline.values import Limits, as_json


class Verdict(StrEnum):
    """What a comparison comes to, of one size and of all."""

    SAME = "same"
    BETTER = "better"  #: ours is
    DIFFERENT = "different"  #: neither is plainly the better one: a person should look
    WORSE = "worse"  #: ours is, or ours is not there
    MISSING = "missing"  #: there is nothing of the other side to compare with


class Reason(StrEnum):
    """What decided a verdict. A person filters by it."""

    ALIKE = "alike"
    SMALLER = "smaller"  #: as good, with fewer bytes
    SHARPER = "sharper"  #: nearer to the original
    BLURRED = "blurred"  #: less near to the original
    TURNED = "turned"  #: one of them lies on its side, on its head, or is mirrored
    SIZE = "size"  #: another width, or other proportions
    CROPPED = "cropped"  #: one of them shows another part, or another picture
    MOVED = "moved"  #: all of it lies a fraction of a pixel aside
    COLOUR = "colour"
    DAMAGED = "damaged"  #: a part of one of them is another picture: grey, black, white
    METADATA = "metadata"  #: one of them tells where the picture was taken
    MIXED = "mixed"  #: better in one way and worse in another
    LEGACY_MISSING = "legacy_missing"
    OURS_MISSING = "ours_missing"
    LEGACY_UNREADABLE = "legacy_unreadable"
    OURS_UNREADABLE = "ours_unreadable"


@dataclass(frozen=True, slots=True)
class PairRequest:
    """One size to compare. Paths are absolute; None: there is no such file.

    width_px: what the preset asks for.
    """

    name: str
    width_px: int
    legacy: str | None
    ours: str | None


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """One original, and what two programs made of it. `limits` hold for each of the files."""

    original: str
    pairs: tuple[PairRequest, ...]
    limits: Limits = field(default_factory=Limits)

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = as_json(self)
        return fields

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        pairs = tuple(PairRequest(**pair) for pair in data["pairs"])
        return cls(data["original"], pairs, Limits(**data["limits"]))


@dataclass(frozen=True, slots=True)
class Look:
    """What one file is, and how near it comes to a reference that was made from the original.

    A file that is no picture has `refused`, the code of the error, and zeros.

    width_px, height_px: as displayed. orientation: the EXIF tag in it, 1 to 8, which viewers obey.
    carries: names of what is in it besides its pixels. position: whether it tells where the picture was taken.
    turned: how what it shows lies, seen from the original upright, as EXIF counts: 1 is upright.
    ssim: structural similarity to the reference, at most 1.
    noise: how much of 1 - ssim its encoder's rounding explains.
    detail: how much of the reference's finest detail it has; 1 is all.
    vividness: how much of the reference's colour; below 1 it is dull.
    delta_e: ΔE2000 to the reference, on average; part_delta_e: in the worst of the parts of the picture.
    moved_px: how far all of it lies to the right and down, in its own pixels.
    """

    width_px: int = 0
    height_px: int = 0
    format: str = ""
    size_bytes: int = 0
    orientation: int = 1
    carries: tuple[str, ...] = ()
    position: bool = False
    turned: int = 1
    ssim: float = 0.0
    noise: float = 0.0
    detail: float = 0.0
    vividness: float = 1.0
    delta_e: float = 0.0
    part_delta_e: float = 0.0
    moved_px: tuple[float, float] = (0.0, 0.0)
    refused: str = ""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        x, y = data["moved_px"]
        return cls(**{**data, "carries": tuple(data["carries"]), "moved_px": (x, y)})


@dataclass(frozen=True, slots=True)
class Pair:
    """One size of both. None: that file does not exist. delta_e: from ours to theirs in the worst part, or 0."""

    name: str
    wanted_px: int
    legacy: Look | None
    ours: Look | None
    delta_e: float = 0.0

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        looks = {side: Look.from_json(data[side]) if data[side] else None for side in ("legacy", "ours")}
        return cls(**{**data, **looks})


@dataclass(frozen=True, slots=True)
class Measures:
    """All that was measured of one original and its sizes. width_px, height_px: of the original as displayed."""

    width_px: int
    height_px: int
    orientation: int
    pairs: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = as_json(self)
        return fields

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "pairs": tuple(map(Pair.from_json, data["pairs"]))})


@dataclass(frozen=True, slots=True)
class SizeJudgement:
    """The verdict on one size. sentence: for a person."""

    name: str
    verdict: Verdict
    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on all sizes: that of the size which weighs most, with its reason and its sentence."""

    verdict: Verdict
    reason: Reason
    sentence: str
    sizes: tuple[SizeJudgement, ...]
