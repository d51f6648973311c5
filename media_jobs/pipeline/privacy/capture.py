"""Finds out when, where and with what a picture was taken, from EXIF, XMP and IPTC. Impossible values are absent."""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from media_jobs.pipeline.privacy import dates, exif
from media_jobs.pipeline.privacy.exif import DETAIL, MAIN, POSITION, Exif
from media_jobs.pipeline.privacy.iptc import Iptc
from media_jobs.pipeline.privacy.xmp.packet import Xmp

_MAX_CHARACTERS = 100
#: Zero-width, and yet letters' business: without them Persian and Sinhala are misspelt.
JOINERS = frozenset("\u200c\u200d")
_IDLE_JOINERS = re.compile("(?:^|(?<= ))[\u200c\u200d]+|[\u200c\u200d]+(?=$| )|(?<=[\u200c\u200d])[\u200c\u200d]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value, and the names of all fields that have just this value."""

    value: Any
    sources: tuple[str, ...]


def choose(*candidates: tuple[Any, str]) -> Choice | None:
    """The first candidate that has a value. Names that belong together are joined by `+`."""
    known = [(value, sources) for value, sources in candidates if value]
    if not known:
        return None
    value = known[0][0]
    return Choice(value, tuple(name for same, sources in known if same == value for name in sources.split("+")))


def clean(text: str, most_characters: int = _MAX_CHARACTERS) -> str:
    """One line of characters that can be seen."""
    if not text:
        return ""
    # NFC first: a letter and its accent may be two characters, and the cut must not part them.
    letters = (c for c in unicodedata.normalize("NFC", text) if c != "\ufffd" and _is_shown(c))
    printable = "".join(c if c.isprintable() or c in JOINERS else " " for c in letters)
    line = " ".join(printable.split())
    if not JOINERS.isdisjoint(line):
        line = " ".join(_IDLE_JOINERS.sub("", line).split())
    return line[:most_characters].rstrip(" \u200c\u200d")


def _is_shown(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character) != "Cf"


def capture(in_exif: Exif, in_iptc: Iptc, in_xmp: Xmp) -> dict[str, Choice]:
    """The facts of `values.FACTS`, by name; what is unknown is absent."""
    e, x = in_exif, in_xmp
    in_photoshop = dates.xmp_date(x.text("photoshop:DateCreated")), "XMP photoshop:DateCreated"
    created = (in_photoshop, dates.iptc_date(in_iptc))
    found = {
        # When it was taken; not when it was scanned, edited or copied, as DateTimeDigitized, DateTime and xmp say.
        "captureDate": choose(
            dates.exif_date(e),
            (dates.xmp_date(x.text("exif:DateTimeOriginal")), "XMP exif:DateTimeOriginal"),
            *(created[::-1] if in_iptc.edited_later else created),
        ),
        "cameraMake": choose(
            (clean(e.text(MAIN, exif.MAKE)), "EXIF Make"), (clean(x.text("tiff:Make")), "XMP tiff:Make")
        ),
        "cameraModel": choose(
            (clean(e.text(MAIN, exif.MODEL)), "EXIF Model"), (clean(x.text("tiff:Model")), "XMP tiff:Model")
        ),
        "lens": choose(
            (clean(e.text(DETAIL, exif.LENS_MODEL)), "EXIF LensModel"),
            (clean(x.text("exifEX:LensModel")), "XMP exifEX:LensModel"),
            (clean(x.text("aux:Lens")), "XMP aux:Lens"),
        ),
        "exposureTime": choose(
            (_seconds(e.number(DETAIL, exif.EXPOSURE_TIME)), "EXIF ExposureTime"),
            (_seconds(_fraction(x.text("exif:ExposureTime"))), "XMP exif:ExposureTime"),
        ),
        "fNumber": choose(
            (_decimal(e.number(DETAIL, exif.F_NUMBER), 1, below=1_000), "EXIF FNumber"),
            (_decimal(_fraction(x.text("exif:FNumber")), 1, below=1_000), "XMP exif:FNumber"),
        ),
        "iso": choose(
            (_whole(e.number(DETAIL, exif.ISO)), "EXIF ISO"),
            (_whole(_fraction(x.text("exif:ISOSpeedRatings"))), "XMP exif:ISOSpeedRatings"),
            (_whole(_fraction(x.text("exifEX:PhotographicSensitivity"))), "XMP exifEX:PhotographicSensitivity"),
        ),
        "focalLength": choose(
            (_decimal(e.number(DETAIL, exif.FOCAL_LENGTH), 2, below=100_000), "EXIF FocalLength"),
            (_decimal(_fraction(x.text("exif:FocalLength")), 2, below=100_000), "XMP exif:FocalLength"),
        ),
        "gps": choose(_exif_position(e), _xmp_position(x)),
        "bodySerial": choose(
            (clean(e.text(DETAIL, exif.BODY_SERIAL)), "EXIF SerialNumber"),
            (clean(e.text(MAIN, exif.DNG_SERIAL)), "EXIF CameraSerialNumber"),
            (clean(x.text("exifEX:BodySerialNumber")), "XMP exifEX:BodySerialNumber"),
            (clean(x.text("aux:SerialNumber")), "XMP aux:SerialNumber"),
        ),
        "lensSerial": choose(
            (clean(e.text(DETAIL, exif.LENS_SERIAL)), "EXIF LensSerialNumber"),
            (clean(x.text("exifEX:LensSerialNumber")), "XMP exifEX:LensSerialNumber"),
            (clean(x.text("aux:LensSerialNumber")), "XMP aux:LensSerialNumber"),
        ),
    }
    return {field: choice for field, choice in found.items() if choice}


# --- with what ------------------------------------------------------------------------------------

_FRACTION = re.compile(r"(\d{1,12})(?:/(\d{1,12})|\.(\d{1,12}))?")
_UNKNOWN_ISO = 65_535  #: "more than fits", as EXIF has it


def _fraction(text: str) -> Fraction | None:
    """XMP writes EXIF's fractions as `1/250`."""
    parts = _FRACTION.fullmatch(text.strip())
    if not parts or (parts[2] and not int(parts[2])):
        return None
    return Fraction(parts[0])


def _seconds(value: Fraction | None) -> str:
    """An exposure time as photographers write it: `1/250`, `0.5`, `30`."""
    if value is None or not Fraction(1, 1_000_000) <= value <= 86_400:
        return ""
    if value <= Fraction(1, 4):
        return f"1/{round(1 / value)}"
    return f"{float(value):.1f}".removesuffix(".0")


def _decimal(value: Fraction | None, digits: int, *, below: int) -> float | None:
    return round(float(value), digits) or None if value is not None and 0 < value < below else None


def _whole(value: Fraction | None) -> int | None:
    possible = value is not None and 0 < value < 10_000_000 and value != _UNKNOWN_ISO
    return round(value) if value is not None and possible else None


# --- where ----------------------------------------------------------------------------------------

_XMP_ANGLE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d{1,12})?)(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])")
_DIGITS = 7  #: a centimetre


def _exif_position(in_exif: Exif) -> tuple[dict[str, float] | None, str]:
    latitude = _exif_angle(in_exif, exif.LATITUDE, exif.LATITUDE_REF, {"N": 1, "S": -1}, 90)
    longitude = _exif_angle(in_exif, exif.LONGITUDE, exif.LONGITUDE_REF, {"E": 1, "W": -1}, 180)
    sources = "EXIF GPSLatitudeRef+EXIF GPSLatitude+EXIF GPSLongitudeRef+EXIF GPSLongitude"
    if latitude is None or longitude is None:
        return None, ""
    below = in_exif.number(POSITION, exif.ALTITUDE_REF) == 1
    altitude = _altitude(in_exif.number(POSITION, exif.ALTITUDE), below=below)
    if altitude is None:
        return {"latitude": latitude, "longitude": longitude}, sources
    sources += "+EXIF GPSAltitudeRef+EXIF GPSAltitude"
    return {"latitude": latitude, "longitude": longitude, "altitude": altitude}, sources


def _exif_angle(in_exif: Exif, tag: int, reference: int, signs: dict[str, int], limit: int) -> float | None:
    sign = signs.get(in_exif.text(POSITION, reference).strip()[:1].upper())
    return _angle(in_exif.numbers(POSITION, tag), sign, limit)


def _xmp_position(in_xmp: Xmp) -> tuple[dict[str, float] | None, str]:
    latitude = _xmp_angle(in_xmp.text("exif:GPSLatitude"), {"N": 1, "S": -1}, 90)
    longitude = _xmp_angle(in_xmp.text("exif:GPSLongitude"), {"E": 1, "W": -1}, 180)
    sources = "XMP exif:GPSLatitude+XMP exif:GPSLongitude"
    if latitude is None or longitude is None:
        return None, ""
    altitude = _altitude(_fraction(in_xmp.text("exif:GPSAltitude")), below=in_xmp.text("exif:GPSAltitudeRef") == "1")
    if altitude is None:
        return {"latitude": latitude, "longitude": longitude}, sources
    sources += "+XMP exif:GPSAltitude+XMP exif:GPSAltitudeRef"
    return {"latitude": latitude, "longitude": longitude, "altitude": altitude}, sources


def _xmp_angle(text: str, signs: dict[str, int], limit: int) -> float | None:
    parts = _XMP_ANGLE.fullmatch(text.strip())
    if not parts:
        return None
    return _angle(tuple(Fraction(part or 0) for part in parts.groups()[:3]), signs.get(parts[4]), limit)


def _angle(parts: exif.Numbers, sign: int | None, limit: int) -> float | None:
    """Degrees, with minutes and seconds if there are any, as one signed number."""
    if sign is None or not 1 <= len(parts) <= 3:
        return None
    degrees = Fraction(0)
    for part, share in zip(parts, (1, 60, 3600), strict=False):
        if part is None or part < 0:
            return None
        degrees += part / share
    return sign * round(float(degrees), _DIGITS) if degrees <= limit else None


def _altitude(value: Fraction | None, *, below: bool) -> float | None:
    """Metres above sea level."""
    if value is None or not 0 <= value < 100_000:
        return None
    return round(float(-value if below else value), 2)
