"""What a file is, by its first bytes. Stdlib only: the web process asks before it stores anything."""

import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from media_jobs import errors
from media_jobs.pipeline.formats import refused, tiff
from media_jobs.pipeline.formats.common import Bytes, Damaged

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
AVIF = Kind("avif", "image/avif", "avif")
HEIC = Kind("heic", "image/heic", "heic")
BMP = Kind("bmp", "image/bmp", "bmp")
DNG = Kind("dng", "image/x-adobe-dng", "dng")
CR2 = Kind("cr2", "image/x-canon-cr2", "cr2")
CR3 = Kind("cr3", "image/x-canon-cr3", "cr3")
NEF = Kind("nef", "image/x-nikon-nef", "nef")
ARW = Kind("arw", "image/x-sony-arw", "arw")
RAF = Kind("raf", "image/x-fuji-raf", "raf")
ORF = Kind("orf", "image/x-olympus-orf", "orf")
RW2 = Kind("rw2", "image/x-panasonic-rw2", "rw2")

_RAW = {kind.format: kind for kind in (DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2)}
#: Camera raw files: pictures are made from the preview inside.
RAW_FORMATS: frozenset[str] = frozenset(_RAW)

#: All that are accepted.
_KINDS = (JPEG, PNG, WEBP, GIF, TIFF, AVIF, HEIC, BMP, *_RAW.values())
FORMATS: frozenset[str] = frozenset(kind.format for kind in _KINDS)
#: Other names that browsers and cameras have for them.
_ALSO = {
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/heif": HEIC,
    "image/heic-sequence": HEIC,
    "image/heif-sequence": HEIC,
    "image/avif-sequence": AVIF,
    "image/x-ms-bmp": BMP,
    "image/dng": DNG,
    "image/x-dng": DNG,
}
BY_CONTENT_TYPE = {kind.content_type: kind for kind in _KINDS}
_BY_EXTENSION = {kind.extension: kind for kind in _KINDS} | {"jpeg": JPEG, "jpe": JPEG, "tiff": TIFF, "heif": HEIC}
#: What browsers say of files that they do not know, raw files among them.
_UNKNOWN_TYPES = frozenset({"", "application/octet-stream"})

_MARKS = ((b"\x89PNG\r\n\x1a\n", PNG), (b"GIF87a", GIF), (b"GIF89a", GIF))
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_CODECLESS_BRANDS = frozenset({b"mif1", b"msf1"})
_MAX_BRANDS_BYTES = 1_024

_RAW_COMPRESSIONS = frozenset({32767, 32769, 32770, 34713})  # Sony, Epson, Samsung, Nikon
_RAW_PHOTOMETRICS = frozenset({32803, 34892})  # colour filter array, linear raw
_REDUCED_RESOLUTION = 1
_MOST_LOOKED_AT = 16
_PHASE_ONE = "a Phase One IIQ raw file"
#: What follows the header of a raw file that is otherwise a TIFF. Pixels may follow there as well: the marks are long.
_REFUSED_MARKS = (
    (re.compile(rb"II\*\0.{4}IIII.waR", re.DOTALL), _PHASE_ONE),
    (re.compile(rb"MM\0\*.{4}MMMMRaw.", re.DOTALL), _PHASE_ONE),
    (re.compile(rb"(II\*\0|MM\0\*).{4}\xba\xb0\xac\xbb", re.DOTALL), "a raw file of Canon's EOS-1D"),
)
#: How the maker's name begins, in lower case.
_RAW_MAKERS = {"nikon": NEF, "sony": ARW}
_REFUSED_MAKERS = {
    "phase one": _PHASE_ONE,
    "pentax": "a Pentax PEF raw file",
    "samsung": "a Samsung SRW raw file",
    "seiko epson": "an Epson ERF raw file",
}

_BMP_CORE_HEADER_BYTES = 12
_BMP_HEADERS_BYTES = frozenset({_BMP_CORE_HEADER_BYTES, 16, 40, 52, 56, 64, 108, 124})
_BMP_DEPTHS = frozenset({1, 2, 4, 8, 16, 24, 32})

_TEXT = bytes(range(0x20, 0x7F)) + b"\t\n\r"


def sniff(head: bytes) -> Kind:
    """The format of a file that starts with `head`. Raises UnsupportedFormat, which says what it is instead.

    A TIFF whose directory lies beyond `head` is taken for a picture here; `raw_format` over the whole file decides.
    What follows a picture in its file does not matter; that its first bytes fit another format as well does.
    """
    kind = _by_signature(head) or _by_brands(head) or _by_directory(head)
    if kind is None or refused.is_pdf(head) or _is_text(head):
        raise errors.UnsupportedFormat(refused.name(head))
    return kind


def announced(content_type: str, filename: str = "") -> Kind:
    """What a file is said to be, before its bytes are there: by its type; without one, by the end of its name.

    Raises UnsupportedFormat.
    """
    said = content_type.partition(";")[0].strip().lower()
    extension = filename.rpartition(".")[2].lower()
    kind = _BY_EXTENSION.get(extension) if said in _UNKNOWN_TYPES else (BY_CONTENT_TYPE | _ALSO).get(said)
    if kind is None:
        raise errors.UnsupportedFormat(f"announced as “{said[:64]}”" if said else None)
    return kind


def raw_format(data: Bytes) -> str | None:
    """Which of RAW_FORMATS the TIFF structure `data` is, or None: a picture like any other, or broken.

    Give it the whole file. Decoders would open a raw file at thumbnail size. Raises UnsupportedFormat for those of
    other makers.
    """
    _refuse_marked(data)
    tags = _first_directory(data)
    kind = _raw_kind(data, tags)
    if kind is None and _is_camera_raw(data, tags):
        maker = tiff.text(tags, 0x010F).lower()
        names = (words for start, words in _REFUSED_MAKERS.items() if maker.startswith(start))
        raise errors.UnsupportedFormat(next(names, "a camera's raw file"))
    return kind.format if kind else None


def _by_signature(head: bytes) -> Kind | None:
    for mark, kind in _MARKS:
        if head.startswith(mark):
            return kind
    if head[:3] == b"\xff\xd8\xff" and head[3:4] >= b"\xc0":  # the start, and another marker
        return JPEG
    if head[:4] == b"RIFF" and head[8:15] == b"WEBPVP8":
        return WEBP
    if _is_bmp(head):
        return BMP
    if head.startswith(b"FUJIFILMCCD-RAW ") and head[16:20].isdigit():
        return RAF
    return None


def _is_bmp(head: bytes) -> bool:
    """Two letters are a weak mark, so the header behind them must make sense as well."""
    if head[:2] != b"BM" or len(head) < 30:
        return False
    pixels_at, header_bytes = struct.unpack_from("<II", head, 10)
    layout = "<HHHH" if header_bytes == _BMP_CORE_HEADER_BYTES else "<iiHH"
    width, height, planes, depth = struct.unpack_from(layout, head, 18)
    return (
        header_bytes in _BMP_HEADERS_BYTES
        and 14 + header_bytes <= pixels_at <= HEAD_BYTES
        and width > 0
        and height != 0  # negative: stored from top to bottom
        and planes == 1
        and depth in _BMP_DEPTHS
    )


def _by_brands(head: bytes) -> Kind | None:
    """The kind of an ISO base media file. The major brand decides: pictures may list those of videos, too."""
    size = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp" or not 16 <= size <= min(_MAX_BRANDS_BYTES, len(head)):
        return None
    major = head[8:12]
    if major == b"crx ":
        return CR3
    compatible = (head[at : at + 4] for at in range(16, size, 4)) if major in _CODECLESS_BRANDS else ()
    for brand in (major, *compatible):
        if brand in _AVIF_BRANDS:
            return AVIF
        if brand in _HEIC_BRANDS:
            return HEIC
    return HEIC if major in _CODECLESS_BRANDS else None


def _by_directory(head: bytes) -> Kind | None:
    """TIFF, and the raw files that are built like one."""
    _refuse_marked(head)
    start = head[:4]
    tags = _first_directory(head)
    if start in (b"IIRO", b"IIRS", b"MMOR"):
        return ORF if tags else None
    if start == b"IIU\0":
        return RW2 if tags else None
    if start not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    kind = _raw_kind(head, tags)
    if kind is None and tiff.text(tags, 0x010F):  # else the maker's name lies beyond the head
        raw_format(head)
    return kind or TIFF


def _first_directory(data: Bytes) -> dict[int, tiff.Value]:
    try:
        return tiff.Tiff.parse(data).first_tags()
    except Damaged:
        return {}


def _raw_kind(data: Bytes, tags: dict[int, tiff.Value]) -> Kind | None:
    if data[:4] == b"II*\0" and data[8:10] == b"CR":
        return CR2
    if 0xC612 in tags:  # DNGVersion
        return DNG
    if not _is_camera_raw(data, tags):
        return None
    maker = tiff.text(tags, 0x010F).lower()
    return next((kind for start, kind in _RAW_MAKERS.items() if maker.startswith(start)), None)


def _refuse_marked(data: Bytes) -> None:
    start = bytes(data[:16])
    for mark, name in _REFUSED_MARKS:
        if mark.match(start):
            raise errors.UnsupportedFormat(name)


def _is_camera_raw(data: Bytes, tags: dict[int, tiff.Value]) -> bool:
    reduced = tiff.number(tags, 0x00FE) & _REDUCED_RESOLUTION
    if (reduced and 0x014A in tags) or _is_raw_picture(tags):
        return True
    with suppress(Damaged):  # Samsung has a picture like any other before its raw data
        directories = islice(tiff.Tiff.parse(data).directories(), _MOST_LOOKED_AT)
        return any(_is_raw_picture(directory.tags()) for directory in directories)
    return False


def _is_raw_picture(tags: dict[int, tiff.Value]) -> bool:
    return tiff.number(tags, 0x0103) in _RAW_COMPRESSIONS or tiff.number(tags, 0x0106) in _RAW_PHOTOMETRICS


def _is_text(head: bytes) -> bool:
    """A script may start with the mark of a GIF; no picture does without a byte that is not text."""
    return not head[:64].translate(None, _TEXT)
