"""What is read from a picture and may be written down. Positions, serial numbers and maker notes are never read."""

import contextlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from media_jobs.pipeline.formats import tiff
from media_jobs.pipeline.probe import Found
from media_jobs.pipeline.values import Keep, Rights

_MAX_CHARACTERS = 100
_MAKE, _MODEL, _EXIF_DIRECTORY = 0x010F, 0x0110, 0x8769
_TAKEN, _TAKEN_OFFSET = 0x9003, 0x9011
_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Told:
    """What a picture tells besides its pixels. `names`: of everything that was found, whether understood or not."""

    names: tuple[str, ...]
    main: dict[int, tiff.Value]
    detail: dict[int, tiff.Value]
    rights: Rights


def read(found: Found) -> Told:
    """Never raises: what is damaged is not there."""
    main, detail = _directories(found)
    return Told((), main, detail, Rights())


def metadata(told: Told, found: Found, keep: Keep) -> dict[str, Any]:
    """JSON-ready `orientation`, `captureDate`, `cameraMake`, `cameraModel`; what is unknown or unwanted is absent."""
    facts: dict[str, Any] = {"orientation": found.orientation}
    if keep.timestamps and (taken := _date(tiff.text(told.detail, _TAKEN), tiff.text(told.detail, _TAKEN_OFFSET))):
        facts["captureDate"] = taken
    if keep.camera_info:
        facts["cameraMake"] = _clean(tiff.text(told.main, _MAKE))
        facts["cameraModel"] = _clean(tiff.text(told.main, _MODEL))
    return {name: value for name, value in facts.items() if value}


def _directories(found: Found) -> tuple[dict[int, tiff.Value], dict[int, tiff.Value]]:
    """The first directory and the EXIF one; empty where they are missing or damaged."""
    if found.format != "tiff":
        return _read(found.exif.removeprefix(b"Exif\0\0"))
    with tiff.mapped(found.path) as data:
        return _read(data)


def _read(data: tiff.Bytes) -> tuple[dict[int, tiff.Value], dict[int, tiff.Value]]:
    main: dict[int, tiff.Value] = {}
    detail: dict[int, tiff.Value] = {}
    with contextlib.suppress(tiff.Damaged):
        structure = tiff.Tiff.parse(data)
        main = structure.directory(structure.first)
        if at := tiff.number(main, _EXIF_DIRECTORY):
            detail = structure.directory(at)
    return main, detail


def _date(taken: str, offset: str) -> str | None:
    """EXIF's `2024:05:01 12:30:00` as ISO 8601; with its offset from UTC if the camera knew it."""
    try:
        moment = datetime.strptime(taken[:19], "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007  (local by nature)
    except ValueError:
        return None
    return moment + offset if _OFFSET.fullmatch(offset) else moment


def _clean(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text.replace("\ufffd", ""))
    return " ".join(printable.split())[:_MAX_CHARACTERS]
