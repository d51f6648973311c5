"""The header of a HEIF picture, AVIF or HEIC: what a decoder will meet, before one sees the bytes. Stdlib only."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from media_jobs import errors
from media_jobs.pipeline.formats import heif_items, isobmff
from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.formats.pixels.heif_transforms import Frame, frame

#: Item kind → the format that it makes the picture.
_FORMATS = {"av01": "avif", "hvc1": "heic"}
_NAMES = {
    "jpeg": "JPEG",
    "avc1": "H.264",
    "vvc1": "H.266",
    "evc1": "EVC",
    "j2k1": "JPEG 2000",
    "unci": "uncompressed samples",
}
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
#: Made from other items, to which they refer by `dimg`.
_DERIVED = frozenset({"grid", "iden", "iovl"})
_MAX_DERIVATIONS = 4
_MAX_PARTS = 4_096
#: Tiles overhang the picture's right and bottom edges; more than this and they were not made for it.
_MAX_OVERHANG = 4
_SMALL_PIXELS = 16_000_000


@dataclass(frozen=True, slots=True)
class Header:
    """The primary picture's header. Width and height are as it is to be shown: cropped, turned and mirrored.

    frame: what a decoder makes of it without its crops, and what is to be cut out of that. own_pixels: before the
    crop. part_pixels: of the largest piece that is decoded in one go, such as a tile. premultiplied: its colours are
    dimmed by its alpha already. primaries: number of its colours in ITU-T H.273, 0 if unknown. exif: a TIFF
    structure, empty if there is none.
    """

    format: str
    width_px: int
    height_px: int
    frame: Frame
    own_pixels: int
    part_pixels: int
    bits: int
    has_helpers: bool  #: other pictures beside it, such as alpha or a gain map
    transparent: bool
    premultiplied: bool
    primaries: int
    exif: bytes


def header(data: Bytes) -> Header:
    """Read the header. Raises UnsupportedFormat, Truncated, Undecodable."""
    try:
        meta = heif_items.meta(data)
        primary = meta.items[meta.primary]
        helpers = [item for item in meta.items.values() if meta.primary in item.refs.get("auxl", ())]
        parts = [*_parts(meta, primary), *(part for helper in helpers for part in _parts(meta, helper))]
    except (Damaged, KeyError) as error:
        raise _no_picture(data) from error
    kind = _format(meta, primary)
    if any(end > len(data) for part in parts for _, end in part.extents):
        raise errors.Truncated
    if not primary.width_px or not primary.height_px or _overhangs(meta, primary):
        raise errors.Undecodable
    try:
        whole = frame((primary.width_px, primary.height_px), primary.steps)
    except Damaged as error:
        raise errors.Undecodable from error
    return Header(
        format=kind,
        width_px=whole.window.width_px,
        height_px=whole.window.height_px,
        frame=whole,
        own_pixels=primary.width_px * primary.height_px,
        part_pixels=max(part.width_px * part.height_px for part in parts if part.kind not in _DERIVED),
        bits=max(part.bits for part in parts) or 8,
        has_helpers=bool(helpers),
        transparent=any(helper.auxiliary in _ALPHA for helper in helpers),
        premultiplied=bool(primary.refs.get("prem")),
        primaries=next((part.primaries for part in parts if part.primaries), 0),
        exif=_exif(data, meta),
    )


def breaks_off(data: Bytes) -> bool:
    """Whether a box of the file reaches beyond its end."""
    try:
        for _ in isobmff.boxes(data):
            pass
    except Damaged:
        return True
    return False


def _no_picture(data: Bytes) -> errors.ImageRefused:
    """Why there is no primary picture."""
    if breaks_off(data):
        return errors.Truncated()
    if isobmff.find(data, "moov") and not isobmff.find(data, "meta"):
        return errors.UnsupportedFormat("a HEIF video without a still picture")
    return errors.Undecodable()


def _parts(meta: heif_items.Meta, item: heif_items.Item) -> Iterator[heif_items.Item]:
    """The item and what it is made from. Raises Damaged."""
    level = [item]
    for _ in range(_MAX_DERIVATIONS):
        yield from level
        made = list(islice(_made_from(level), _MAX_PARTS + 1))
        if len(made) > _MAX_PARTS:
            raise Damaged("a picture of absurdly many parts")
        level = [meta.items[number] for number in made if number in meta.items]
    if level:
        raise Damaged("a picture made of others, absurdly deep")


def _made_from(level: list[heif_items.Item]) -> Iterator[int]:
    return (number for part in level if part.kind in _DERIVED for number in part.refs.get("dimg", ()))


def _format(meta: heif_items.Meta, primary: heif_items.Item) -> str:
    """The format, by how the picture, or the parts of it, are coded. Raises UnsupportedFormat."""
    kinds = {part.kind for part in _parts(meta, primary) if part.kind not in _DERIVED} or {primary.kind}
    if len(kinds) == 1 and kinds <= _FORMATS.keys():
        return _FORMATS[kinds.pop()]
    names = " and ".join(sorted(_NAMES.get(kind, f"“{kind}”") for kind in kinds))
    raise errors.UnsupportedFormat(f"a HEIF picture coded as {names}")


def _overhangs(meta: heif_items.Meta, primary: heif_items.Item) -> bool:
    """Whether its parts have together many times its pixels: each is decoded."""
    own = primary.width_px * primary.height_px
    total = sum(part.width_px * part.height_px for part in _parts(meta, primary))
    return total - own > max(_MAX_OVERHANG * own, _SMALL_PIXELS)


def _exif(data: Bytes, meta: heif_items.Meta) -> bytes:
    """The EXIF block of the primary picture; empty where it is damaged or missing."""
    for item in meta.items.values():
        if item.kind == "Exif" and meta.primary in item.refs.get("cdsc", ()):
            try:
                block = heif_items.read(data, item)
            except Damaged:
                return b""
            return block[4 + int.from_bytes(block[:4], "big") :]
    return b""
