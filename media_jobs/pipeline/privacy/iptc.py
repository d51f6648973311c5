"""Reads Photoshop's image resources, and IPTC-IIM within them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from media_jobs.pipeline.privacy import names
from media_jobs.pipeline.privacy.exif import decoded

BY_LINE, CREDIT, COPYRIGHT, DATE_CREATED, TIME_CREATED = 80, 110, 116, 55, 60
_WANTED = frozenset({BY_LINE, CREDIT, COPYRIGHT, DATE_CREATED, TIME_CREATED})

#: How many bytes IPTC-IIM has room for.
LIMITS_BYTES = {BY_LINE: 32, CREDIT: 32, COPYRIGHT: 128}

IPTC, EXIF, XMP, DIGEST = 0x0404, 0x0422, 0x0424, 0x0425
_RESOURCES = {
    0x0409: "Photoshop thumbnail",
    0x040A: "Photoshop copyright flag",
    0x040B: "Photoshop URL",
    0x040C: "Photoshop thumbnail",
    0x040F: "ICC profile",
    0x0422: "Photoshop EXIF",
    0x0423: "Photoshop EXIF",
    0x0424: "Photoshop XMP",
    0x0425: "Photoshop IPTC digest",
}
#: Photoshop's own signature of a resource, and those of programs that write some beside it (as exiftool knows them).
SIGNATURES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")
_MAX_RESOURCES = 1_000
_MAX_DATASETS = 2_000
_MAX_VALUES = 50
_MAX_BYTES = 4096


@dataclass(slots=True)
class Iptc:
    """Values of wanted datasets of record 2, in their order.

    checksums: MD5 of each block that was read. stated: the one that was written when XMP and IPTC said the same.
    """

    values: dict[int, list[bytes]] = field(default_factory=dict)
    checksums: set[bytes] = field(default_factory=set)
    stated: bytes = b""

    @property
    def edited_later(self) -> bool:
        """Whether a program that knows no XMP has changed it: then it is newer than XMP."""
        return bool(self.stated and self.checksums) and self.stated not in self.checksums

    def texts(self, dataset: int) -> list[str]:
        """The values of a dataset. The character set that the file claims is ignored: many claim a wrong one."""
        return [decoded(value) for value in self.values.get(dataset, [])]

    def text(self, dataset: int) -> str:
        return next(iter(self.texts(dataset)), "")

    def raw(self, dataset: int) -> bytes:
        """The first value as it is written."""
        return next(iter(self.values.get(dataset, [])), b"")


def resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each resource of Photoshop's own, as far as they are whole."""
    at = 0
    for _ in range(_MAX_RESOURCES):
        signature = data[at : at + 4]
        if signature not in SIGNATURES or at + 7 > len(data):
            return
        name_bytes = 1 + data[at + 6]
        size_at = at + 6 + name_bytes + name_bytes % 2
        start = size_at + 4
        size = int.from_bytes(data[size_at:start], "big")
        if start + size > len(data):
            return
        if signature == SIGNATURES[0]:
            yield int.from_bytes(data[at + 4 : at + 6], "big"), data[start : start + size]
        at = start + size + size % 2


def name(resource: int) -> str:
    """What a resource is called; IPTC's own is none of these."""
    return _RESOURCES.get(resource, "Photoshop resources")


def read(data: bytes, into: Iptc, found: set[str]) -> None:
    """Add the datasets of IPTC-IIM to `into`, their names to `found`."""
    at = 0
    for block in (data, data.rstrip(b"\0")):  # TIFF pads it
        into.checksums.add(hashlib.md5(block, usedforsecurity=False).digest())
    if not data.startswith(b"\x1c") and data.strip(b"\0"):
        found.add("IPTC that cannot be read")
    for _ in range(_MAX_DATASETS):
        if data[at : at + 1] != b"\x1c" or at + 5 > len(data):
            return
        record, dataset, size = data[at + 1], data[at + 2], int.from_bytes(data[at + 3 : at + 5], "big")
        at += 5
        if size & 0x8000:  # of extended size: how many bytes say how many bytes
            size_bytes = min(size & 0x7FFF, 8)
            size = int.from_bytes(data[at : at + size_bytes], "big")
            at += size_bytes
        value = data[at : at + size]
        at += size
        if len(value) < size:
            return
        found.add(names.iptc(record, dataset))
        if record == 2 and dataset in _WANTED and len(into.values.setdefault(dataset, [])) < _MAX_VALUES:
            into.values[dataset].append(value[:_MAX_BYTES])
