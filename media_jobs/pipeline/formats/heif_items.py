"""Reads the items of HEIF files (ISO/IEC 23008-12), defensively: whatever the bytes say, an answer or `Damaged`.

Stdlib only, and soon done: every count and size has its bound.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from media_jobs.pipeline.formats import isobmff
from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.formats.pixels import heif_transforms

#: Of a table of numbers. That of a 48-megapixel photo in 200 tiles takes 5 KB.
_MAX_TABLE_BYTES = 262_144
_MAX_PROPERTY_TABLES = 4  #: one for each of its versions and widths
_MAX_ITEM_BYTES = 16 * 1_048_576
_MAX_TEXT_BYTES = 256
_CROP_BYTES = 32
_URN_BYTES = 64


@dataclass(frozen=True, slots=True)
class Item:
    """What a HEIF file holds one of: a coded picture, a grid of others, Exif, XMP.

    kind: four letters, such as `hvc1`, `grid`, `Exif`, `mime`. content_type: of `mime` only.
    extents: (start, end) of its pieces in the file; empty where they lie elsewhere or are made from other items.
    width_px, height_px: as coded. steps: what is to be done with that for showing, in this order.
    bits: of a sample, 0 if unknown. primaries: number of its colours in ITU-T H.273, 0 if unknown.
    auxiliary: the URN of what a picture beside another one is for, empty if it says nothing.
    refs: by the reference's four letters, the items it points to.
    """

    kind: str
    content_type: str = ""
    extents: tuple[tuple[int, int], ...] = ()
    width_px: int = 0
    height_px: int = 0
    steps: tuple[heif_transforms.Step, ...] = ()
    bits: int = 0
    primaries: int = 0
    auxiliary: bytes = b""
    refs: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meta:
    """The items of a file by their numbers. `primary`: the one to show."""

    primary: int
    items: dict[int, Item]


def meta(data: Bytes) -> Meta:
    """The items of a HEIF file. What its boxes do not say is empty or zero. Raises Damaged."""
    outer = isobmff.find(data, "meta")
    if outer is None:
        raise Damaged("no items")
    # QuickTime's `meta` has no version, ISO's has; its first child tells them apart.
    versioned = bytes(data[outer.start + 4 : outer.start + 8]) != b"hdlr"
    parts = {box.kind: box for box in reversed(list(isobmff.boxes(data, outer.start + 4 * versioned, outer.end)))}
    if any(box.end - box.start > _MAX_TABLE_BYTES for kind, box in parts.items() if kind in ("iinf", "iloc", "iref")):
        raise Damaged("a table of absurd size")
    facts = _infos(data, parts.get("iinf"))
    for found in (
        _locations(data, parts.get("iloc"), parts.get("idat")),
        _properties(data, parts.get("iprp")),
        _references(data, parts.get("iref")),
    ):
        for number, values in found.items():
            if number in facts:
                facts[number].update(values)
    return Meta(_primary(data, parts.get("pitm")), {number: Item(**values) for number, values in facts.items()})


def read(data: Bytes, item: Item) -> bytes:
    """An item's bytes. Raises Damaged when they are not all there, or absurdly many."""
    if sum(end - start for start, end in item.extents) > _MAX_ITEM_BYTES:
        raise Damaged("an item of absurd size")
    if any(end > len(data) for _, end in item.extents):
        raise Damaged("an item that reaches beyond the file")
    return b"".join(bytes(data[start:end]) for start, end in item.extents)


class _Table:
    """Reads a box of numbers from front to back. Raises Damaged at its end."""

    def __init__(self, data: Bytes, box: isobmff.Box, *, versioned: bool = True) -> None:
        self._bytes = bytes(data[box.start : min(box.end, box.start + _MAX_TABLE_BYTES)])
        self._at = 0
        self.version, self.flags = (self.number(1), self.number(3)) if versioned else (0, 0)

    def number(self, size: int) -> int:
        """The next number, which takes `size` bytes; 0 if it takes none."""
        self._at += size
        if self._at > len(self._bytes):
            raise Damaged("a table that breaks off")
        return int.from_bytes(self._bytes[self._at - size : self._at], "big")

    def letters(self) -> str:
        return self.number(4).to_bytes(4, "big").decode("latin-1")

    def text(self) -> str:
        """The next text, which ends with a zero byte."""
        start = self._at
        stop = self._bytes.find(b"\0", start, start + _MAX_TEXT_BYTES)
        self._at = stop + 1 if stop >= 0 else len(self._bytes)
        return self._bytes[start : max(start, self._at - 1)].decode("utf-8", "replace")


_Facts = dict[int, dict[str, Any]]


def _primary(data: Bytes, box: isobmff.Box | None) -> int:
    if box is None:
        return 0
    table = _Table(data, box)
    return table.number(4 if table.version else 2)


def _infos(data: Bytes, box: isobmff.Box | None) -> _Facts:
    facts: _Facts = {}
    if box is None:
        return facts
    count_bytes = 4 if _Table(data, box).version else 2
    for entry in isobmff.boxes(data, box.start + 4 + count_bytes, box.end):
        table = _Table(data, entry)
        if entry.kind != "infe" or table.version < 2:
            continue
        number = table.number(2 if table.version == 2 else 4)
        table.number(2)  # protection
        kind = table.letters()
        table.text()  # name
        facts[number] = {"kind": kind}
        if kind == "mime":
            facts[number]["content_type"] = table.text()
    return facts


def _locations(data: Bytes, box: isobmff.Box | None, idat: isobmff.Box | None) -> _Facts:
    facts: _Facts = {}
    if box is None:
        return facts
    table = _Table(data, box)
    sizes = table.number(2)
    offset_bytes, length_bytes, base_bytes, index_bytes = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if table.version == 0:
        index_bytes = 0
    for _ in range(table.number(4 if table.version > 1 else 2)):
        number = table.number(4 if table.version > 1 else 2)
        method = table.number(2) & 15 if table.version else 0
        elsewhere = table.number(2) != 0
        base = table.number(base_bytes)
        extents = []
        for _ in range(table.number(2)):
            table.number(index_bytes)
            extents.append((base + table.number(offset_bytes), table.number(length_bytes)))
        within = {0: isobmff.Box("file", 0, len(data)), 1: idat}.get(method)
        if within and not elsewhere:
            facts[number] = {"extents": tuple(_extent(within, start, size) for start, size in extents)}
    return facts


def _extent(within: isobmff.Box, start: int, size: int) -> tuple[int, int]:
    """Start and end of an item's piece. A length of zero means all that there is."""
    start += within.start
    return start, start + size if size else max(start, within.end)


def _properties(data: Bytes, box: isobmff.Box | None) -> _Facts:
    facts: _Facts = {}
    children = list(isobmff.boxes(data, box.start, box.end)) if box else []
    known: list[dict[str, Any]] = []
    for child in children:
        if child.kind == "ipco":
            known = [_property(data, entry) for entry in isobmff.boxes(data, child.start, child.end)]
    for child in [child for child in children if child.kind == "ipma"][:_MAX_PROPERTY_TABLES]:
        for number, index in _associations(data, child):
            if 0 < index <= len(known):
                _apply(known[index - 1], facts.setdefault(number, {}))
    return facts


def _apply(found: dict[str, Any], facts: dict[str, Any]) -> None:
    """Add a property to an item's. Transformations add up in the order in which they are listed."""
    facts.update({**found, "steps": facts.get("steps", ()) + found.get("steps", ())})


def _property(data: Bytes, box: isobmff.Box) -> dict[str, Any]:
    if box.kind == "clap":
        return _crop(data, box)
    if box.kind == "auxC":
        return {"auxiliary": bytes(data[box.start + 4 : min(box.end, box.start + 4 + _URN_BYTES)]).partition(b"\0")[0]}
    read_property = _PROPERTIES.get(box.kind)
    return read_property(_Table(data, box, versioned=box.kind in ("ispe", "pixi"))) if read_property else {}


def _size(table: _Table) -> dict[str, Any]:
    return {"width_px": table.number(4), "height_px": table.number(4)}


def _crop(data: Bytes, box: isobmff.Box) -> dict[str, Any]:
    """A crop without sense is left to the decoder."""
    with suppress(Damaged):
        content = bytes(data[box.start : min(box.end, box.start + _CROP_BYTES)])
        return {"steps": (heif_transforms.crop(content, box.start),)}
    return {}


def _rotation(table: _Table) -> dict[str, Any]:
    return {"steps": (heif_transforms.Step(turns=table.number(1) & 3),)}


def _mirroring(table: _Table) -> dict[str, Any]:
    return {"steps": (heif_transforms.Step(mirrored="across" if table.number(1) & 1 else "down"),)}


def _bits(table: _Table) -> dict[str, Any]:
    return {"bits": max((table.number(1) for _ in range(table.number(1))), default=0)}


def _colours(table: _Table) -> dict[str, Any]:
    return {"primaries": table.number(2)} if table.letters() == "nclx" else {}


_PROPERTIES: dict[str, Callable[[_Table], dict[str, Any]]] = {
    "ispe": _size,
    "irot": _rotation,
    "imir": _mirroring,
    "pixi": _bits,
    "colr": _colours,
}


def _associations(data: Bytes, box: isobmff.Box) -> Iterator[tuple[int, int]]:
    """Pairs of an item and the place of one of its properties, from 1."""
    table = _Table(data, box)
    wide = table.flags & 1
    for _ in range(table.number(4)):
        number = table.number(4 if table.version else 2)
        for _ in range(table.number(1)):
            yield number, table.number(2) & 0x7FFF if wide else table.number(1) & 0x7F


def _references(data: Bytes, box: isobmff.Box | None) -> _Facts:
    found: dict[int, dict[str, tuple[int, ...]]] = {}
    if box is None:
        return {}
    size = 4 if _Table(data, box).version else 2
    for entry in isobmff.boxes(data, box.start + 4, box.end):
        table = _Table(data, entry, versioned=False)
        origin = table.number(size)
        targets = tuple(table.number(size) for _ in range(table.number(2)))
        kinds = found.setdefault(origin, {})
        kinds[entry.kind] = kinds.get(entry.kind, ()) + targets
    return {origin: {"refs": kinds} for origin, kinds in found.items()}
