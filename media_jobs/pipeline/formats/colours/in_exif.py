"""Adobe RGB as cameras tell it, without an ICC profile: by DCF's mark in EXIF. Stdlib only.

DCF 2.0: ColorSpace is "uncalibrated" and the interoperability index "R03". Browsers do not look; exiftool names it.
"""

from contextlib import suppress
from enum import Enum

from media_jobs.pipeline.formats import isobmff
from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.formats.tiff import Directory, Tiff, number, text

_EXIF, _COLOR_SPACE, _INTEROPERABILITY, _INDEX, _MAKER_NOTE = 0x8769, 0xA001, 0xA005, 0x0001, 0x927C
_SRGB, _ADOBE_RGB = 1, 2  #: the latter is not EXIF's, but what some cameras write
_NIKON, _NIKON_HEAD_BYTES, _NIKON_COLOR_SPACE = b"Nikon\0\2", 10, 0x001E
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")


class Said(Enum):
    NOTHING = "nothing"
    SRGB = "sRGB"
    ADOBE_RGB = "Adobe RGB"


def of_raw(data: Bytes) -> Said:
    """What a raw file's own EXIF says of its previews."""
    with suppress(Damaged):
        if detail := _canon(data):
            return _said(detail)
        return of_exif(data)
    return Said.NOTHING


def of_exif(data: Bytes) -> Said:
    """What an EXIF block or a TIFF file says."""
    with suppress(Damaged):
        tiff = Tiff.parse(data)
        if offset := number(tiff.first_tags(), _EXIF):
            return _said(tiff.directory(offset))
    return Said.NOTHING


def _canon(data: Bytes) -> Directory | None:
    """The EXIF directory of a CR3, a structure of its own; None in other files. Raises Damaged."""
    if bytes(data[4:12]) != b"ftypcrx ":
        return None
    moov = isobmff.find(data, "moov")
    for box in isobmff.boxes(data, moov.start, moov.end) if moov else ():
        canons = box.kind == "uuid" and bytes(data[box.start : box.start + 16]) == _CANON
        part = isobmff.find(data, "CMT2", start=box.start + 16, end=box.end) if canons else None
        if part:
            tiff = Tiff.parse(bytes(data[part.start : part.end]))
            return tiff.directory(tiff.first)
    raise Damaged("a CR3 without EXIF")


def _said(detail: Directory) -> Said:
    """ColorSpace goes first where it has a meaning: programs that convert to sRGB may leave the index as it was."""
    tags = detail.tags()
    space = number(tags, _COLOR_SPACE)
    if space in (_SRGB, _ADOBE_RGB):
        return Said.SRGB if space == _SRGB else Said.ADOBE_RGB
    offset = number(tags, _INTEROPERABILITY)
    index = text(detail.tiff.directory(offset).tags(), _INDEX) if offset else ""
    if index in ("R03", "R98"):
        return Said.ADOBE_RGB if index == "R03" else Said.SRGB
    note = tags.get(_MAKER_NOTE)
    return _nikon(note) if isinstance(note, bytes) and note.startswith(_NIKON) else Said.NOTHING


def _nikon(note: bytes) -> Said:
    """Nikon's raw files tell it in the maker note alone, a TIFF structure of its own. Raises Damaged."""
    tags = Tiff.parse(note[_NIKON_HEAD_BYTES:]).first_tags()
    return {_SRGB: Said.SRGB, _ADOBE_RGB: Said.ADOBE_RGB}.get(number(tags, _NIKON_COLOR_SPACE), Said.NOTHING)
