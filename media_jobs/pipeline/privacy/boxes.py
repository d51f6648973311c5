"""Finds the metadata within files that are made of boxes: HEIF (HEIC and AVIF), and Canon's CR3."""

import struct

from media_jobs.pipeline.formats import heif_items, isobmff
from media_jobs.pipeline.formats.colours import cicp
from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.privacy import exif
from media_jobs.pipeline.privacy.embed import EXIF_MARK
from media_jobs.pipeline.privacy.pieces import MAX_BLOCK_BYTES, Pieces

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CANON_GROUPS = {"CMT1": exif.MAIN, "CMT2": exif.DETAIL, "CMT4": exif.POSITION}


def cr3(data: Bytes, pieces: Pieces) -> None:
    for outer in isobmff.boxes(data):
        if outer.kind == "uuid":
            _uuid(data, outer, pieces)
        elif outer.kind == "moov":
            for box in isobmff.boxes(data, outer.start, outer.end):
                if box.kind == "uuid" and bytes(data[box.start : box.start + 16]) == _CANON:
                    _canon(data, box, pieces)


def _canon(data: Bytes, box: isobmff.Box, pieces: Pieces) -> None:
    for part in isobmff.boxes(data, box.start + 16, box.end):
        if part.kind in _CANON_GROUPS:
            block = bytes(data[part.start : min(part.end, part.start + MAX_BLOCK_BYTES)])
            pieces.add_exif(block, group=_CANON_GROUPS[part.kind], picture=True)
        elif part.kind == "CMT3":
            pieces.names.add("EXIF MakerNote")
        elif part.kind == "THMB":
            pieces.names.add("EXIF thumbnail")


def _uuid(data: Bytes, box: isobmff.Box, pieces: Pieces) -> None:
    """A box at the top of a file that only its maker's number explains."""
    kind, content = bytes(data[box.start : box.start + 16]), box.start + 16
    if kind == _XMP_UUID:
        pieces.add_xmp(bytes(data[content : min(box.end, content + MAX_BLOCK_BYTES)]))
    else:
        pieces.names.add("C2PA manifest" if kind == _C2PA else "private box")


_XMP_TYPE = "application/rdf+xml"
_HEIF_PLAIN = frozenset({"ftyp", "meta", "mdat", "uuid"})
_PICTURES = frozenset({"hvc1", "av01", "avc1", "jpeg", "unci", "grid", "iovl", "iden", "tmap"})
_PROPERTY_NAMES = {
    "udes": "HEIF description",
    "altt": "HEIF description",
    "crtt": "HEIF creation time",
    "mdft": "HEIF modification time",
}


def heif(data: Bytes, pieces: Pieces) -> None:
    meta = heif_items.meta(data)
    for item in meta.items.values():
        if "thmb" in item.refs:
            pieces.names.add("HEIF thumbnail")
        if "auxl" in item.refs:
            pieces.names.add("HEIF auxiliary picture")
        if item.kind not in _PICTURES:
            _heif_item(data, item, pieces)
    _heif_properties(data, pieces)
    for box in isobmff.boxes(data):  # last: what is behind the items may be anything
        if box.kind == "uuid":
            _uuid(data, box, pieces)
        elif box.kind not in _HEIF_PLAIN:
            pieces.names.add("HEIF image sequence" if box.kind == "moov" else "private box")


def _heif_item(data: Bytes, item: heif_items.Item, pieces: Pieces) -> None:
    try:
        block = b"" if pieces.full else heif_items.read(data, item)
    except Damaged:
        block = b""
    if item.kind == "Exif":
        pieces.add_exif(block[4 + int.from_bytes(block[:4], "big") :].removeprefix(EXIF_MARK))
    elif item.kind == "mime" and item.content_type == _XMP_TYPE:
        pieces.add_xmp(block)
    else:
        pieces.names.add("HEIF data")


def _heif_properties(data: Bytes, pieces: Pieces) -> None:
    meta = isobmff.find(data, "meta")
    properties = isobmff.find(data, "iprp", "ipco", start=meta.start + 4, end=meta.end) if meta else None
    for box in isobmff.boxes(data, properties.start, properties.end) if properties else ():
        if box.kind == "colr":
            _heif_colours(bytes(data[box.start : min(box.end, box.start + 8)]), pieces)
        elif box.kind in _PROPERTY_NAMES:
            pieces.names.add(_PROPERTY_NAMES[box.kind])


def _heif_colours(head: bytes, pieces: Pieces) -> None:
    if head[:4] in (b"prof", b"rICC"):
        pieces.names.add("ICC profile")
    elif head[:4] == b"nclx" and (hdr := cicp.hdr(*struct.unpack(">HH", head[4:].ljust(4, b"\0")))):
        pieces.add_hdr(hdr)
