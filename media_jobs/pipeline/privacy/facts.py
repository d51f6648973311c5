"""What a picture tells besides its pixels, and which of it may be written down."""

from dataclasses import dataclass
from typing import Any

from media_jobs.pipeline.formats.tiff import mapped
from media_jobs.pipeline.privacy.capture import Choice, capture
from media_jobs.pipeline.privacy.gather import gather
from media_jobs.pipeline.privacy.rights import rights
from media_jobs.pipeline.probe import Found
from media_jobs.pipeline.values import Keep, Rights

#: Which switch of `Keep` each fact hangs on.
_SWITCHES = {
    "captureDate": "timestamps",
    "cameraMake": "camera_info",
    "cameraModel": "camera_info",
    "lens": "camera_info",
    "exposureTime": "camera_info",
    "fNumber": "camera_info",
    "iso": "camera_info",
    "focalLength": "camera_info",
    "gps": "gps",
    "bodySerial": "device_serial",
    "lensSerial": "device_serial",
}
_ORIENTATION = "EXIF Orientation"


@dataclass(frozen=True, slots=True)
class Told:
    """What a picture tells besides its pixels.

    names: of everything that was found, whether understood or not, in alphabetical order; never values.
    rights_from: names of what told the rights.
    """

    names: tuple[str, ...]
    facts: dict[str, Choice]
    rights: Rights
    rights_from: tuple[str, ...]


def read(found: Found) -> Told:
    """Never raises: what is damaged is not there. Reads the heads of files, their pixels only where it must."""
    with mapped(found.original) as data:
        pieces = gather(data, found.format)
    whose = rights(pieces.exif, pieces.iptc, pieces.xmp)
    return Told(
        names=tuple(sorted(pieces.names)),
        facts=capture(pieces.exif, pieces.iptc, pieces.xmp),
        rights=Rights(**{field: choice.value for field, choice in whose.items()}),
        rights_from=tuple(name for choice in whose.values() for name in choice.sources),
    )


def metadata(told: Told, found: Found, keep: Keep) -> dict[str, Any]:
    """JSON-ready; what is unknown or unwanted is absent.

    `orientation`; `captureDate` (ISO 8601, with its offset if known); `cameraMake`, `cameraModel`, `lens`;
    `exposureTime` (seconds, as the text "1/250"), `fNumber`, `iso`, `focalLength` (mm); `gps` (`latitude` and
    `longitude` in degrees, north and east positive, `altitude` in metres); `bodySerial`, `lensSerial`.
    """
    return {"orientation": found.orientation, **{name: choice.value for name, choice in wanted(told, keep).items()}}


def wanted(told: Told, keep: Keep) -> dict[str, Choice]:
    """The facts that may be written down."""
    return {name: choice for name, choice in told.facts.items() if getattr(keep, _SWITCHES[name])}


def kept(told: Told, keep: Keep) -> set[str]:
    """Names of what is written down, or into the outputs."""
    facts = {name for choice in wanted(told, keep).values() for name in choice.sources}
    return facts.union(told.rights_from, {_ORIENTATION})
