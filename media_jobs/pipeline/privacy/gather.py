"""Finds the metadata within a file of each format, and has it read.

Whatever the bytes say, all that is whole up to the first damage is there, and soon.
"""

from collections.abc import Callable

from media_jobs.pipeline.formats import gif, jpeg, png, riff
from media_jobs.pipeline.formats.colours import in_png
from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.privacy import boxes, exif, iptc, names
from media_jobs.pipeline.privacy.embed import EXIF_MARK, XMP_MARK
from media_jobs.pipeline.privacy.pieces import MAX_BLOCK_BYTES, Pieces

_TRAILING = "data after the end"
_DAMAGED = "damaged parts"
_MAX_TEXTS = 100


def gather(data: Bytes, format: str) -> Pieces:
    """Collect the metadata of a file. `format`: as `sniff` calls it."""
    pieces = Pieces()
    try:
        _WALKS[format](data, pieces)
    except Damaged:  # what was found before stays
        pieces.names.add(_DAMAGED)
    return pieces


# --- JPEG -----------------------------------------------------------------------------------------

_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
#: A digest of the whole, its length, and where the part belongs; then the part.
_EXTENSION_HEAD_BYTES = 40
_EXTENSION_OFFSET = slice(len(_EXTENDED_XMP) + 36, len(_EXTENDED_XMP) + 40)
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
    extension: dict[int, bytes] = {}
    room = MAX_BLOCK_BYTES
    pixels = end = 0
    try:
        for segment in jpeg.segments(data, over_stray=True):
            if bytes(data[end : segment.at]).strip(b"\xff"):
                pieces.names.add(_DAMAGED)
            end = segment.end
            if segment.marker == jpeg.SOS:
                pixels = segment.end
                break
            payload = bytes(data[segment.start : segment.end])
            if segment.marker == jpeg.APP1 and payload.startswith(_EXTENDED_XMP):
                part = payload[len(_EXTENDED_XMP) + _EXTENSION_HEAD_BYTES :][:room]
                extension[int.from_bytes(payload[_EXTENSION_OFFSET], "big")] = part
                room -= len(part)
            if segment.marker == jpeg.APP13 and payload.startswith(_PHOTOSHOP):
                photoshop += payload[len(_PHOTOSHOP) :][: MAX_BLOCK_BYTES - len(photoshop)]
            else:
                _jpeg_segment(segment.marker, payload, pieces)
    finally:
        pieces.add_photoshop(photoshop)
        if extension:
            pieces.add_xmp(b"".join(extension[at] for at in sorted(extension)))
    if jpeg.bytes_follow(data, pixels):
        pieces.names.add(_TRAILING)


def _jpeg_segment(marker: int, payload: bytes, pieces: Pieces) -> None:
    if marker == jpeg.APP1 and payload.startswith(EXIF_MARK):
        pieces.add_exif(payload[len(EXIF_MARK) :])
    elif marker == jpeg.APP1 and payload.startswith(XMP_MARK):
        pieces.add_xmp(payload[len(XMP_MARK) :])
    elif marker == jpeg.COM:
        pieces.names.add("JPEG comment")
    elif marker == jpeg.APP0 and payload.startswith(b"JFIF\0"):
        if payload[12:14] not in (b"\0\0", b""):
            pieces.names.add("JFIF thumbnail")
    elif marker == jpeg.APP11 and payload.startswith(b"JP"):
        _jumbf(payload, pieces)
    elif jpeg.APP0 <= marker <= jpeg.APP15 and not (marker == jpeg.APP14 and payload.startswith(b"Adobe")):
        known = (name for at, start, name in _BY_START if at == marker and payload.startswith(start))
        pieces.names.add(next(known, f"JPEG APP{marker - jpeg.APP0} data"))


def _jumbf(payload: bytes, pieces: Pieces) -> None:
    """A box, or one of the segments that it goes on in, which have its number."""
    number = payload[2:4]
    if b"c2pa" in payload:
        pieces.c2pa_boxes.add(number)
    pieces.names.add("C2PA manifest" if number in pieces.c2pa_boxes else "JUMBF boxes")


# --- PNG, WebP, GIF, BMP --------------------------------------------------------------------------

_PNG_NAMES = {b"tIME": "PNG tIME", b"iCCP": "ICC profile", b"caBX": "C2PA manifest"}
#: Chunks that say how to show the pixels, of which there may be several pictures.
_PNG_PLAIN = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB cICP mDCV cLLI pHYs sBIT bKGD acTL fcTL fdAT".split())


def _png(data: Bytes, pieces: Pieces) -> None:
    texts = 0
    end = len(data)
    if curve := in_png.hdr(data):
        pieces.add_hdr(curve)
    for chunk in png.chunks(data):
        if chunk.kind == b"IDAT":
            continue
        content = bytes(data[chunk.start : min(chunk.end, chunk.start + MAX_BLOCK_BYTES)])
        if chunk.kind == b"eXIf":
            pieces.add_exif(content.removeprefix(EXIF_MARK))
        elif chunk.kind in png.TEXTS:
            texts += 1
            if texts > _MAX_TEXTS:  # some have to be unpacked
                pieces.names.add(f"PNG text beyond {_MAX_TEXTS} chunks")
            else:
                _png_text(chunk.kind, content, pieces)
        elif chunk.kind not in _PNG_PLAIN:
            pieces.names.add(_PNG_NAMES.get(chunk.kind, "PNG private chunk"))
        end = chunk.end + 4
    if end < len(data):
        pieces.names.add(_TRAILING)


def _png_text(kind: bytes, content: bytes, pieces: Pieces) -> None:
    keyword = content.partition(b"\0")[0]
    if keyword == b"XML:com.adobe.xmp":
        pieces.add_xmp(png.text(kind, content, MAX_BLOCK_BYTES))
    elif keyword.startswith(png.RAW_PROFILE):
        _png_profile(keyword.removeprefix(png.RAW_PROFILE), png.text(kind, content, MAX_BLOCK_BYTES), pieces)
    else:
        pieces.names.add(names.png_text(keyword))


def _png_profile(kind: bytes, text: bytes, pieces: Pieces) -> None:
    """Read a block that ImageMagick has put into a text."""
    block = png.raw_profile(text)
    pieces.names.add("PNG raw profile")
    if kind in (b"exif", b"APP1") and (tiff := png.exif_in_profile(block)):
        pieces.add_exif(tiff)
    elif kind in (b"xmp", b"APP1"):
        pieces.add_xmp(block.removeprefix(XMP_MARK))
    elif kind in (b"iptc", b"8bim"):
        (pieces.add_photoshop if block.startswith(iptc.SIGNATURES) else pieces.add_iptc)(block)
    elif kind in (b"icc", b"icm"):
        pieces.names.add("ICC profile")


_WEBP_PLAIN = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
_WEBP_NAMES = {b"ICCP": "ICC profile", b"C2PA": "C2PA manifest"}


def _webp(data: Bytes, pieces: Pieces) -> None:
    if riff.end(data) < len(data):
        pieces.names.add(_TRAILING)
    for chunk in riff.chunks(data):
        if chunk.kind in _WEBP_PLAIN:
            continue
        content = bytes(data[chunk.start : min(chunk.end, chunk.start + MAX_BLOCK_BYTES)])
        if chunk.kind == b"EXIF":
            pieces.add_exif(content.removeprefix(EXIF_MARK))
        elif chunk.kind == b"XMP ":
            pieces.add_xmp(content)
        else:
            pieces.names.add(_WEBP_NAMES.get(chunk.kind, "WebP private chunk"))


_GIF_NAMES = {b"ICCRGBG1012": "ICC profile"}
_GIF_XMP_TAIL = b"\1\xff\xfe\xfd"
_GIF_PLAIN = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})


def _gif(data: Bytes, pieces: Pieces) -> None:
    for extension in gif.extensions(data):
        if isinstance(extension, int):
            if extension < len(data):
                pieces.names.add(_TRAILING)
        elif extension.label == gif.COMMENT:
            pieces.names.add("GIF comment")
        elif extension.label == gif.PLAIN_TEXT:
            pieces.names.add("GIF text")
        elif extension.label == gif.APPLICATION:
            start = extension.start + 12
            application = bytes(data[extension.start + 1 : start])
            if application == b"XMP DataXMP":  # not in pieces, but plain, with a tail that looks like pieces
                packet = bytes(data[start : min(extension.end, start + MAX_BLOCK_BYTES)])
                pieces.add_xmp(packet.partition(_GIF_XMP_TAIL)[0])
            elif application not in _GIF_PLAIN:
                c2pa = application.startswith(b"C2PA_GIF")
                pieces.names.add("C2PA manifest" if c2pa else _GIF_NAMES.get(application, "GIF application data"))
        elif extension.label != gif.CONTROL:
            pieces.names.add("GIF private extension")


def _bmp(data: Bytes, pieces: Pieces) -> None:
    header = bytes(data[:138])
    said_bytes = int.from_bytes(header[2:6], "little")
    if len(header) == 138 and int.from_bytes(header[14:18], "little") >= 124 and header[70:74] in (b"DEBM", b"KNIL"):
        pieces.names.add("ICC profile")  # embedded, or the name of a file that holds it
    if 0 < said_bytes < len(data):
        pieces.names.add(_TRAILING)


# --- TIFF and raw ---------------------------------------------------------------------------------


def _tiff(data: Bytes, pieces: Pieces) -> None:
    pieces.add_exif(data, picture=True)
    if preview := pieces.exif.raw(exif.MAIN, exif.PANASONIC_JPEG):  # the only place where some RW2 have EXIF
        _start_of_jpeg(preview, pieces)


def _raf(data: Bytes, pieces: Pieces) -> None:
    start = int.from_bytes(data[84:88], "big")
    _start_of_jpeg(bytes(data[start : start + MAX_BLOCK_BYTES]), pieces)


def _start_of_jpeg(data: bytes, pieces: Pieces) -> None:
    for segment in jpeg.segments(data):
        if segment.marker == jpeg.SOS:
            return
        _jpeg_segment(segment.marker, data[segment.start : segment.end], pieces)


_WALKS: dict[str, Callable[[Bytes, Pieces], None]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "bmp": _bmp,
    "avif": boxes.heif,
    "heic": boxes.heif,
    "cr3": boxes.cr3,
    "raf": _raf,
    **dict.fromkeys(("tiff", "dng", "cr2", "nef", "arw", "orf", "rw2"), _tiff),
}
