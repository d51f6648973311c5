"""What a file is, by its first bytes. Stdlib only: the web process asks before it stores anything."""

from dataclasses import dataclass

from media_jobs import errors
from media_jobs.pipeline.formats import tiff

#: So many first bytes are enough to decide; fewer will do where the file is shorter.
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Kind:
    """An accepted format. `extension` comes without a dot."""

    format: str
    content_type: str
    extension: str


JPEG = Kind("jpeg", "image/jpeg", "jpg")
PNG = Kind("png", "image/png", "png")
WEBP = Kind("webp", "image/webp", "webp")
GIF = Kind("gif", "image/gif", "gif")
TIFF = Kind("tiff", "image/tiff", "tif")

_ACCEPTED = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
)
_KNOWN = (
    (b"IIRO", "an Olympus ORF raw file"),
    (b"IIRS", "an Olympus ORF raw file"),
    (b"MMOR", "an Olympus ORF raw file"),
    (b"IIU\0", "a Panasonic RW2 raw file"),
    (b"FUJIFILMCCD-RAW", "a Fujifilm RAF raw file"),
    (b"\0MRM", "a Minolta MRW raw file"),
    (b"FOVb", "a Sigma X3F raw file"),
    (b"HEAPCCDR", "a Canon CRW raw file"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"II\xbc\x01", "a JPEG XR picture"),
    (b"BM", "a BMP picture"),
    (b"8BPS", "a Photoshop file"),
    (b"gimp xcf", "a GIMP file"),
    (b"\0\0\x01\0", "an icon file (ICO)"),
    (b"\0\0\x02\0", "a cursor file (CUR)"),
    (b"\x8aMNG", "an MNG animation"),
    (b"%!", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document (EPS)"),
    (b"AT&TFORM", "a DjVu document"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"\0\0\x01\xba", "a video (MPEG)"),
    (b"OggS", "an Ogg recording"),
    (b"ID3", "an MP3 recording"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance picture"),
    (b"SIMPLE  =", "a FITS file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"#!", "a script"),
)
_BRANDS = (
    (("crx ",), "a Canon CR3 raw file"),
    (("avif", "avis"), "an AVIF picture"),
    (("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"), "a HEIC picture"),
    (("qt  ",), "a QuickTime video"),
)
_RAW_COMPRESSIONS = frozenset({32767, 32769, 32770, 34713})  # Sony, Epson, Samsung, Nikon
_RAW_PHOTOMETRICS = frozenset({32803, 34892})  # colour filter array, linear raw
_REDUCED_RESOLUTION = 1


def sniff(head: bytes) -> Kind:
    """The format of a file that starts with `head`. Raises UnsupportedFormat, which says what it is instead.

    A TIFF whose directory lies beyond `head` is taken for a picture here; `refuse_raw` over the whole file decides.
    """
    for prefix, kind in _ACCEPTED:
        if head.startswith(prefix):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        refuse_raw(head)
        return TIFF
    raise errors.UnsupportedFormat(_name(head))


def refuse_raw(data: tiff.Bytes) -> None:
    """Raises UnsupportedFormat for camera raw files in TIFF clothing: decoders open them at thumbnail size."""
    if data[8:10] == b"CR":
        raise errors.UnsupportedFormat("a Canon CR2 raw file")
    try:
        structure = tiff.Tiff.parse(data)
        tags = structure.directory(structure.first)
    except tiff.Damaged:
        return  # beyond the head, or broken; the decoder will say so
    if 0xC612 in tags:
        raise errors.UnsupportedFormat("a DNG raw file")
    maker = tiff.text(tags, 0x010F)
    reduced = tiff.number(tags, 0x00FE) & _REDUCED_RESOLUTION
    if (
        tiff.number(tags, 0x0103) in _RAW_COMPRESSIONS
        or tiff.number(tags, 0x0106) in _RAW_PHOTOMETRICS
        or (reduced and 0x014A in tags)
    ):
        raise errors.UnsupportedFormat(_raw_name(maker))


def _raw_name(maker: str) -> str:
    known = {"nikon": "a Nikon NEF raw file", "sony": "a Sony ARW raw file", "pentax": "a Pentax PEF raw file"}
    return next((name for start, name in known.items() if maker.lower().startswith(start)), "a camera's raw file")


def _name(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _name_by_brands(head)
    if head[:4] == b"RIFF":
        return {b"AVI ": "a video (AVI)", b"WAVE": "a WAV recording"}.get(head[8:12])
    for prefix, name in _KNOWN:
        if head.startswith(prefix):
            return name
    if b"%PDF-" in head[:1024]:
        return "a PDF document"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "a PPM picture"
    return _name_of_text(head)


def _name_by_brands(head: bytes) -> str:
    box_bytes = int.from_bytes(head[:4], "big")
    brands = head[8 : min(max(box_bytes, 12), 256)].decode("latin-1")
    listed = {brands[i : i + 4] for i in range(0, len(brands), 4)}
    for wanted, name in _BRANDS:
        if listed.intersection(wanted):
            return name
    return "a video (MP4)"


def _name_of_text(head: bytes) -> str | None:
    start = head[:1024].removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip(b"\xff\xfe \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")):
        return "an SVG drawing" if b"<svg" in head.lower() or b"<!doctype svg" in start else "an XML document"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "a web page (HTML)"
    return None
