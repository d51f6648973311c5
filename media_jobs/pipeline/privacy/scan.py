"""The proof: what a finished file carries besides its pixels.

Reads every byte that is not a coded pixel, and accepts only what a bare picture needs, and the packets that `embed`
writes of the picture's own rights, to the byte: there is no room for anything else. It knows nothing of the encoders.
"""

from collections.abc import Callable

from media_jobs import errors
from media_jobs.pipeline.formats import heif_items, isobmff, jpeg, png, riff
from media_jobs.pipeline.formats.common import Damaged
from media_jobs.pipeline.privacy import embed
from media_jobs.pipeline.recipes import Format
from media_jobs.pipeline.values import Rights


def scan(encoded: bytes, format: Format, rights: Rights) -> tuple[str, ...]:
    """Names of the fields of `rights` in it. Raises PrivacyLeak when there is anything else.

    format: the resolved one. rights: of the picture that was encoded.
    """
    allowed = _Rights(rights)
    try:
        _SCANS[format](encoded, allowed)
    except Damaged as error:
        raise errors.PrivacyLeak(f"{error} (as {format})") from error
    return allowed.seen


_FIELDS = {
    "EXIF": {"creator": "EXIF Artist", "copyright": "EXIF Copyright"},
    "XMP": {
        "creator": "XMP dc:creator",
        "copyright": "XMP dc:rights",
        "credit": "XMP photoshop:Credit",
        "licence": "XMP xmpRights:WebStatement",
        "digital_source_type": "XMP Iptc4xmpExt:DigitalSourceType",
    },
}


class _Rights:
    """The two packets that a file may have, each once at most. seen: names of the fields in those that it had."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights
        self._left = {"EXIF": embed.exif_block(rights), "XMP": embed.xmp_packet(rights)}
        self.seen: tuple[str, ...] = ()

    def take(self, language: str, packet: bytes) -> None:
        """Raises PrivacyLeak unless it is the one that this picture may have."""
        if not packet or packet != self._left.pop(language, b""):
            raise errors.PrivacyLeak(f"{language} data that is not this picture's rights")
        self.seen += tuple(name for field, name in _FIELDS[language].items() if getattr(self._rights, field))


def _once(seen: set[str], what: str) -> None:
    if what in seen:
        raise errors.PrivacyLeak(f"{what} twice")
    seen.add(what)


# --- JPEG -----------------------------------------------------------------------------------------

_FRAMES = (0xC0, 0xC1, 0xC2)


def _jpeg(data: bytes, rights: _Rights) -> None:
    at = 0
    for segment in jpeg.segments(data):
        if at not in (segment.at, _PIXELS):
            raise errors.PrivacyLeak("bytes between segments")
        at = _PIXELS if segment.marker == jpeg.SOS else segment.end
        payload = data[segment.start : segment.end]
        if segment.marker == jpeg.APP1:
            _jpeg_rights(payload, rights)
        elif not _plain(segment.marker, payload):
            raise errors.PrivacyLeak(_jpeg_name(segment.marker))
    if at != len(data):
        raise errors.PrivacyLeak("bytes behind its end")


_PIXELS = -1  #: in the place of an offset: behind them, the next segment lies where it lies


def _jpeg_rights(payload: bytes, rights: _Rights) -> None:
    if payload.startswith(embed.EXIF_MARK):
        rights.take("EXIF", payload[len(embed.EXIF_MARK) :])
    elif payload.startswith(embed.XMP_MARK):
        rights.take("XMP", payload[len(embed.XMP_MARK) :])
    else:
        raise errors.PrivacyLeak(_jpeg_name(jpeg.APP1))


def _plain(marker: int, payload: bytes) -> bool:
    """Whether a segment is of those that a bare picture needs, and just as long as what it must hold."""
    size = len(payload)
    if marker in _FRAMES:
        return size > 5 and size == 6 + 3 * payload[5]
    if marker == jpeg.SOS:
        return size > 0 and size == 4 + 2 * payload[0]
    if marker == jpeg.DQT:
        return _tables_fit(payload, lambda at: 65 + 64 * (payload[at] >> 4))
    if marker == jpeg.DHT:
        return _tables_fit(payload, lambda at: 17 + sum(payload[at + 1 : at + 17]))
    return size == {jpeg.SOI: 0, jpeg.EOI: 0, jpeg.DRI: 2}.get(marker, -1)


def _tables_fit(payload: bytes, size_at: Callable[[int], int]) -> bool:
    at = 0
    while at < len(payload):
        at += size_at(at)
    return at == len(payload)


def _jpeg_name(marker: int) -> str:
    if marker == jpeg.COM:
        return "a comment"
    if marker == jpeg.APP2:
        return "an APP2 segment (a colour profile or more pictures)"
    return f"an APP{marker - jpeg.APP0} segment" if jpeg.APP0 <= marker <= jpeg.APP15 else f"a segment {marker:#x}"


# --- PNG and WebP ---------------------------------------------------------------------------------

#: Size of each chunk that a bare picture needs; None where the picture decides.
_PNG_PLAIN = {b"IHDR": 13, b"IDAT": None, b"IEND": 0}


def _png(data: bytes, rights: _Rights) -> None:
    seen: set[str] = set()
    end = 0
    for chunk in png.chunks(data):
        end = chunk.end + 4
        name, size = chunk.kind.decode("latin-1"), chunk.end - chunk.start
        if chunk.kind != b"IDAT":
            _once(seen, f"a chunk {name!r}")
        if chunk.kind == b"eXIf":
            rights.take("EXIF", data[chunk.start : chunk.end])
        elif chunk.kind == b"iTXt" and data.startswith(embed.PNG_XMP_MARK, chunk.start):
            rights.take("XMP", data[chunk.start + len(embed.PNG_XMP_MARK) : chunk.end])
        elif _PNG_PLAIN.get(chunk.kind, -1) not in (None, size):
            raise errors.PrivacyLeak(f"a chunk {name!r} of {size} bytes")
    if end != len(data):
        raise errors.PrivacyLeak("bytes behind its end")


_WEBP_PICTURES = frozenset({b"VP8 ", b"VP8L", b"ALPH"})


def _webp(data: bytes, rights: _Rights) -> None:
    seen: set[str] = set()
    for chunk in riff.chunks(data):
        _once(seen, f"a chunk {chunk.kind.decode('latin-1')!r}")
        content = data[chunk.start : chunk.end]
        if (chunk.end - chunk.start) % 2 and data[chunk.end : chunk.end + 1] != b"\0":
            raise errors.PrivacyLeak("a byte of padding that is not zero")
        if chunk.kind == b"EXIF":
            rights.take("EXIF", content)
        elif chunk.kind == b"XMP ":
            rights.take("XMP", content)
        elif chunk.kind == b"VP8X":
            if len(content) != 10 or content[0] & ~(riff.ALPHA | riff.EXIF | riff.XMP) or content[1:4] != bytes(3):
                raise errors.PrivacyLeak("a header that promises more than a picture and rights")
        elif chunk.kind not in _WEBP_PICTURES:
            raise errors.PrivacyLeak(f"a chunk {chunk.kind.decode('latin-1')!r}")
    if riff.end(data) != len(data):
        raise errors.PrivacyLeak("bytes behind its end")


# --- AVIF -----------------------------------------------------------------------------------------

_TOP = ["ftyp", "meta", "mdat"]
_META = {"hdlr", "pitm", "iloc", "iinf", "iprp", "iref"}
_PROPERTIES = {"av1C", "ispe", "pixi", "auxC", "colr"}
_HANDLER = bytes(8) + b"pict" + bytes(13)
_ALPHA = bytes(4) + b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
_XMP_TYPE = "application/rdf+xml"
_XMP_TAIL = b"mime\0application/rdf+xml\0\0"


def _avif(data: bytes, rights: _Rights) -> None:
    top = list(isobmff.boxes(data))
    if [box.kind for box in top] != _TOP or top[-1].end != len(data):
        raise errors.PrivacyLeak(f"other boxes than a picture's ({', '.join(repr(box.kind) for box in top)})")
    _avif_structure(data, top[1])
    used: list[tuple[int, int]] = []
    for item in heif_items.meta(data).items.values():
        used += item.extents
        if item.kind == "mime" and item.content_type == _XMP_TYPE:
            rights.take("XMP", heif_items.read(data, item))
        elif item.kind != "av01":
            raise errors.PrivacyLeak(f"an item {item.kind!r}")
    at = top[-1].start
    for start, end in sorted(used):
        if start != at:
            raise errors.PrivacyLeak("bytes between items")
        at = end
    if at != len(data):
        raise errors.PrivacyLeak("bytes behind its items")


def _avif_structure(data: bytes, meta: isobmff.Box) -> None:
    """Raises PrivacyLeak at a box or a text that a bare picture does not need."""
    for box in isobmff.boxes(data, meta.start + 4, meta.end):
        if box.kind not in _META:
            raise errors.PrivacyLeak(f"a box {box.kind!r}")
        if box.kind == "hdlr" and data[box.start : box.end] != _HANDLER:
            raise errors.PrivacyLeak("a handler with a name")
        if box.kind == "iinf":
            for info in isobmff.boxes(data, box.start + 6, box.end):
                if data[info.start + 8 : info.end] not in (b"av01\0", _XMP_TAIL):
                    raise errors.PrivacyLeak("an item with a name")
        if box.kind == "iprp":
            _avif_properties(data, box)


def _avif_properties(data: bytes, parent: isobmff.Box) -> None:
    for outer in isobmff.boxes(data, parent.start, parent.end):
        for box in isobmff.boxes(data, outer.start, outer.end) if outer.kind == "ipco" else ():
            content = data[box.start : box.end]
            if (
                box.kind not in _PROPERTIES
                or (box.kind == "auxC" and content != _ALPHA)
                or (box.kind == "colr" and content[:4] != b"nclx")
            ):
                raise errors.PrivacyLeak(f"a property {box.kind!r}")


_SCANS: dict[Format, Callable[[bytes, _Rights], None]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.WEBP: _webp,
    Format.AVIF: _avif,
}
