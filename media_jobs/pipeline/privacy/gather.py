"""Finds the metadata within a file of each format, and has it read.

Whatever the bytes say, all that is whole up to the first damage is there, and soon.
"""

import re
from collections.abc import Callable
from contextlib import suppress

from media_jobs.pipeline.formats import gif, isobmff, jpeg, png, riff
from media_jobs.pipeline.formats.tiff import Bytes
from media_jobs.pipeline.privacy import exif, names
from media_jobs.pipeline.privacy.pieces import Pieces

_DAMAGED = (jpeg.Damaged, png.Damaged, riff.Damaged, gif.Damaged, isobmff.Damaged)

_BEHIND = "data after the end"
_MAX_BLOCK_BYTES = 1_048_576
_MAX_TEXTS = 100
_EXIF_MARK = b"Exif\0\0"


def gather(data: Bytes, format: str) -> Pieces:
    """`format`: in the words of `sniff`."""
    pieces = Pieces()
    with suppress(*_DAMAGED):  # what was found before the damage stays
        _WALKS[format](data, pieces)
    return pieces


# --- JPEG -----------------------------------------------------------------------------------------

_ADOBE_XMP, _EXTENDED_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_BY_START = (
    (jpeg.APP0, b"JFXX\0", "JFIF thumbnail"),
    (jpeg.APP1, _EXTENDED_XMP, "XMP extension"),
    (jpeg.APP2, b"ICC_PROFILE\0", "ICC profile"),
    (jpeg.APP2, b"MPF\0", "MPF pictures"),
    (jpeg.APP2, b"FPXR\0", "FlashPix data"),
    (jpeg.APP2, b"urn:iso:std:iso:ts:21496:-1\0", "gain map"),
)


def _jpeg(data: Bytes, pieces: Pieces) -> None:
    photoshop = b""
    pixels = 0
    try:
        for segment in jpeg.segments(data):
            if segment.marker == jpeg.SOS:
                pixels = segment.end
                break
            payload = bytes(data[segment.start : segment.end])
            if segment.marker == jpeg.APP13 and payload.startswith(_PHOTOSHOP):
                photoshop += payload[len(_PHOTOSHOP) :][: _MAX_BLOCK_BYTES - len(photoshop)]
            else:
                _jpeg_segment(segment.marker, payload, pieces)
    finally:
        pieces.add_photoshop(photoshop)
    if jpeg.bytes_follow(data, pixels):
        pieces.names.add(_BEHIND)


def _jpeg_segment(marker: int, payload: bytes, pieces: Pieces) -> None:
    if marker == jpeg.APP1 and payload.startswith(_EXIF_MARK):
        pieces.add_exif(payload[len(_EXIF_MARK) :])
    elif marker == jpeg.APP1 and payload.startswith(_ADOBE_XMP):
        pieces.add_xmp(payload[len(_ADOBE_XMP) :])
    elif marker == jpeg.COM:
        pieces.names.add("JPEG comment")
    elif marker == jpeg.APP0 and payload.startswith(b"JFIF\0"):
        if payload[12:14] not in (b"\0\0", b""):
            pieces.names.add("JFIF thumbnail")
    elif marker == jpeg.APP11 and payload.startswith(b"JP"):
        pieces.names.add("C2PA manifest" if b"c2pa" in payload else "JUMBF boxes")
    elif jpeg.APP0 <= marker <= jpeg.APP15 and not (marker == jpeg.APP14 and payload.startswith(b"Adobe")):
        known = (name for at, start, name in _BY_START if at == marker and payload.startswith(start))
        pieces.names.add(next(known, f"JPEG APP{marker - jpeg.APP0} data"))


# --- PNG, WebP, GIF, BMP --------------------------------------------------------------------------

_RAW_PROFILE = b"Raw profile type "
_PROFILE_HEX = re.compile(rb"\s*\w+\s+\d+\s+([0-9a-fA-F\s]*)")
_PNG_NAMES = {b"tIME": "PNG tIME", b"iCCP": "ICC profile", b"caBX": "C2PA manifest"}
#: What says how to show the pixels, of which there may be several pictures.
_PNG_PLAIN = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB cICP mDCV cLLI pHYs sBIT bKGD acTL fcTL fdAT".split())


def _png(data: Bytes, pieces: Pieces) -> None:
    texts = 0
    end = len(data)
    for chunk in png.chunks(data):
        if chunk.kind == b"IDAT":
            continue
        content = bytes(data[chunk.start : min(chunk.end, chunk.start + _MAX_BLOCK_BYTES)])
        if chunk.kind == b"eXIf":
            pieces.add_exif(content.removeprefix(_EXIF_MARK))
        elif chunk.kind in (b"tEXt", b"zTXt", b"iTXt"):
            texts += 1
            if texts <= _MAX_TEXTS:  # some have to be unpacked
                _png_text(chunk.kind, content, pieces)
        elif chunk.kind not in _PNG_PLAIN:
            pieces.names.add(_PNG_NAMES.get(chunk.kind, "PNG private chunk"))
        end = chunk.end + 4
    if end < len(data):
        pieces.names.add(_BEHIND)


def _png_text(kind: bytes, content: bytes, pieces: Pieces) -> None:
    keyword = content.partition(b"\0")[0]
    if keyword == b"XML:com.adobe.xmp":
        pieces.add_xmp(png.text(kind, content, _MAX_BLOCK_BYTES))
    elif keyword.startswith(_RAW_PROFILE):
        _png_profile(keyword.removeprefix(_RAW_PROFILE), png.text(kind, content, _MAX_BLOCK_BYTES), pieces)
    else:
        pieces.names.add(names.png_text(keyword))


def _png_profile(kind: bytes, text: bytes, pieces: Pieces) -> None:
    """As ImageMagick hides other languages in a PNG: hexadecimal, behind a name and a length."""
    found = _PROFILE_HEX.match(text)
    try:
        block = bytes.fromhex(found[1].decode()) if found else b""
    except ValueError:
        block = b""
    pieces.names.add("PNG raw profile")
    if kind in (b"exif", b"APP1") and block.startswith(_EXIF_MARK):
        pieces.add_exif(block.removeprefix(_EXIF_MARK))
    elif kind in (b"xmp", b"APP1"):
        pieces.add_xmp(block.removeprefix(_ADOBE_XMP))
    elif kind == b"iptc":
        (pieces.add_photoshop if block.startswith(b"8BIM") else pieces.add_iptc)(block)
    elif kind in (b"icc", b"icm"):
        pieces.names.add("ICC profile")


_WEBP_PLAIN = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
_WEBP_NAMES = {b"ICCP": "ICC profile", b"C2PA": "C2PA manifest"}


def _webp(data: Bytes, pieces: Pieces) -> None:
    if riff.end(data) < len(data):
        pieces.names.add(_BEHIND)
    for chunk in riff.chunks(data):
        if chunk.kind in _WEBP_PLAIN:
            continue
        content = bytes(data[chunk.start : min(chunk.end, chunk.start + _MAX_BLOCK_BYTES)])
        if chunk.kind == b"EXIF":
            pieces.add_exif(content.removeprefix(_EXIF_MARK))
        elif chunk.kind == b"XMP ":
            pieces.add_xmp(content)
        else:
            pieces.names.add(_WEBP_NAMES.get(chunk.kind, "WebP private chunk"))


_GIF_NAMES = {b"ICCRGBG1012": "ICC profile"}
_GIF_PLAIN = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})


def _gif(data: Bytes, pieces: Pieces) -> None:
    for extension in gif.extensions(data):
        if isinstance(extension, int):
            if extension < len(data):
                pieces.names.add(_BEHIND)
        elif extension.label == gif.COMMENT:
            pieces.names.add("GIF comment")
        elif extension.label == gif.PLAIN_TEXT:
            pieces.names.add("GIF text")
        elif extension.label == gif.APPLICATION:
            start = extension.start + 12
            application = bytes(data[extension.start + 1 : start])
            if application == b"XMP DataXMP":  # not in pieces, but plain, with a tail that looks like pieces
                pieces.add_xmp(bytes(data[start : min(extension.end, start + _MAX_BLOCK_BYTES)]))
            elif application not in _GIF_PLAIN:
                pieces.names.add(_GIF_NAMES.get(application, "GIF application data"))


def _bmp(data: Bytes, pieces: Pieces) -> None:
    header = bytes(data[:138])
    said_bytes = int.from_bytes(header[2:6], "little")
    if len(header) == 138 and int.from_bytes(header[14:18], "little") >= 124 and header[70:74] in (b"DEBM", b"KNIL"):
        pieces.names.add("ICC profile")  # embedded, or the name of a file that holds it
    if 0 < said_bytes < len(data):
        pieces.names.add(_BEHIND)


# --- TIFF and raw ---------------------------------------------------------------------------------


def _tiff(data: Bytes, pieces: Pieces) -> None:
    pieces.add_exif(data, picture=True)
    if preview := pieces.exif.raw(exif.MAIN, exif.PANASONIC_JPEG):  # the only place where some RW2 have EXIF
        _start_of_jpeg(preview, pieces)


def _raf(data: Bytes, pieces: Pieces) -> None:
    start = int.from_bytes(data[84:88], "big")
    _start_of_jpeg(bytes(data[start : start + _MAX_BLOCK_BYTES]), pieces)


def _start_of_jpeg(data: bytes, pieces: Pieces) -> None:
    for segment in jpeg.segments(data):
        if segment.marker == jpeg.SOS:
            return
        _jpeg_segment(segment.marker, data[segment.start : segment.end], pieces)


_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CANON_GROUPS = {"CMT1": exif.MAIN, "CMT2": exif.DETAIL, "CMT4": exif.POSITION}


def _cr3(data: Bytes, pieces: Pieces) -> None:
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
            block = bytes(data[part.start : min(part.end, part.start + _MAX_BLOCK_BYTES)])
            pieces.add_exif(block, group=_CANON_GROUPS[part.kind], picture=True)
        elif part.kind == "CMT3":
            pieces.names.add("EXIF MakerNote")
        elif part.kind == "THMB":
            pieces.names.add("EXIF thumbnail")


def _uuid(data: Bytes, box: isobmff.Box, pieces: Pieces) -> None:
    """A box at the top of a file that only its maker's number explains."""
    kind, content = bytes(data[box.start : box.start + 16]), box.start + 16
    if kind == _XMP_UUID:
        pieces.add_xmp(bytes(data[content : min(box.end, content + _MAX_BLOCK_BYTES)]))
    elif kind == _C2PA:
        pieces.names.add("C2PA manifest")


# --- HEIF -----------------------------------------------------------------------------------------

_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_TYPE = "application/rdf+xml"
_TILES = frozenset({"grid", "iovl", "iden", "tmap"})


def _heif(data: Bytes, pieces: Pieces) -> None:
    for box in isobmff.boxes(data):
        if box.kind == "uuid":
            _uuid(data, box, pieces)
    if _has_profile(data):
        pieces.names.add("ICC profile")
    meta = isobmff.meta(data)
    for item in meta.items.values():
        if "thmb" in item.refs:
            pieces.names.add("HEIF thumbnail")
        if "auxl" in item.refs:
            pieces.names.add("HEIF auxiliary picture")
        if item.kind not in ("Exif", "mime") or pieces.full:
            continue
        block = isobmff.read(data, item)
        if item.kind == "Exif":
            pieces.add_exif(block[4 + int.from_bytes(block[:4], "big") :].removeprefix(_EXIF_MARK))
        elif item.content_type == _XMP_TYPE:
            pieces.add_xmp(block)
        else:
            pieces.names.add("HEIF data")


def _has_profile(data: Bytes) -> bool:
    meta = isobmff.find(data, "meta")
    if meta is None:
        return False
    properties = isobmff.find(data, "iprp", "ipco", start=meta.start + 4, end=meta.end)
    return properties is not None and any(
        box.kind == "colr" and bytes(data[box.start : box.start + 4]) in (b"prof", b"rICC")
        for box in isobmff.boxes(data, properties.start, properties.end)
    )


_WALKS: dict[str, Callable[[Bytes, Pieces], None]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "bmp": _bmp,
    "avif": _heif,
    "heic": _heif,
    "cr3": _cr3,
    "raf": _raf,
    **dict.fromkeys(("tiff", "dng", "cr2", "nef", "arw", "orf", "rw2"), _tiff),
}
