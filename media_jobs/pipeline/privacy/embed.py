"""Rights as XMP and EXIF, written into finished files. Stdlib only.

All fields of `Rights` are 500 characters at most, so a packet stays far below the 64 KB of a JPEG's segment.
"""

import struct
from collections.abc import Iterator
from html import escape

from media_jobs.pipeline.formats import jpeg, png, riff
from media_jobs.pipeline.recipes import Format
from media_jobs.pipeline.values import Rights

EXIF_MARK = b"Exif\0\0"
XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
PNG_XMP_MARK = b"XML:com.adobe.xmp\0\0\0\0\0"  # not packed, in no language

#: Between several creators, within one field.
BETWEEN = "; "

_ASCII = 2
_ARTIST, _COPYRIGHT = 0x013B, 0x8298


def with_rights(encoded: bytes, format: Format, rights: Rights) -> bytes:
    """The same picture as JPEG, WebP or PNG, carrying `rights` and nothing else. `encoded` carries none yet.

    An AVIF comes back as it is: its encoder takes `xmp_packet` itself.
    """
    xmp, exif = xmp_packet(rights), exif_block(rights)
    if not xmp or format not in _WRITERS:
        return encoded
    return _WRITERS[format](encoded, exif, xmp)


def xmp_packet(rights: Rights) -> bytes:
    """The rights as an XMP packet; empty where there are none."""
    properties = "".join(_properties(rights))
    if not properties:
        return b""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
        ' xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"{properties}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="r"?>'
    ).encode()


def exif_block(rights: Rights) -> bytes:
    """A TIFF structure, as EXIF has it, of Artist and Copyright. Empty where there is neither.

    XMP has them to the letter, but escaped. Here `<` becomes `‹`: no web server may take a picture for a program.
    """
    texts = ((_ARTIST, rights.creator), (_COPYRIGHT, rights.copyright))
    values = [(tag, text.replace("<", "‹").encode() + b"\0") for tag, text in texts if text]
    if not values:
        return b""
    head, tail = struct.pack("<2sHIH", b"II", 42, 8, len(values)), b""
    values_at = len(head) + 12 * len(values) + 4
    for tag, value in values:
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", values_at + len(tail))
        head += struct.pack("<HHI", tag, _ASCII, len(value)) + place
        tail += value + b"\0" * (len(value) % 2) if len(value) > 4 else b""
    return head + bytes(4) + tail


def _properties(rights: Rights) -> Iterator[str]:
    if rights.creator:
        each = filter(None, (creator.strip() for creator in rights.creator.split(BETWEEN.strip())))
        creators = "".join(f"<rdf:li>{_escaped(creator)}</rdf:li>" for creator in each)
        yield f"<dc:creator><rdf:Seq>{creators}</rdf:Seq></dc:creator>"
    if rights.copyright:
        text = f'<rdf:li xml:lang="x-default">{_escaped(rights.copyright)}</rdf:li>'
        yield f"<dc:rights><rdf:Alt>{text}</rdf:Alt></dc:rights>"
    if rights.credit:
        yield f"<photoshop:Credit>{_escaped(rights.credit)}</photoshop:Credit>"
    if rights.licence:
        yield f"<xmpRights:WebStatement>{_escaped(rights.licence)}</xmpRights:WebStatement>"
    if rights.digital_source_type:
        text = _escaped(rights.digital_source_type)
        yield f"<Iptc4xmpExt:DigitalSourceType>{text}</Iptc4xmpExt:DigitalSourceType>"


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def _into_jpeg(encoded: bytes, exif: bytes, xmp: bytes) -> bytes:
    """Put the blocks in front of everything else; there is no JFIF header, which would have to be the first."""
    segments = b"".join(
        struct.pack(">BBH", 0xFF, jpeg.APP1, 2 + len(payload)) + payload
        for payload in ((EXIF_MARK + exif) if exif else b"", XMP_MARK + xmp)
        if payload
    )
    return encoded[:2] + segments + encoded[2:]


def _into_webp(encoded: bytes, exif: bytes, xmp: bytes) -> bytes:
    """Bring the file into the extended form, which alone has room for more than a picture."""
    first = next(riff.chunks(encoded))
    width, height, alpha = riff.canvas(encoded, first)
    extended = first.kind == b"VP8X"
    flags = (encoded[first.start] if extended else riff.ALPHA * alpha) | riff.XMP | (riff.EXIF if exif else 0)
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    parts = [
        b"WEBP",
        riff.chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size),
        encoded[first.end if extended else 12 :],
        riff.chunk(b"EXIF", exif) if exif else b"",
        riff.chunk(b"XMP ", xmp),
    ]
    return b"RIFF" + struct.pack("<I", sum(map(len, parts))) + b"".join(parts)


def _into_png(encoded: bytes, exif: bytes, xmp: bytes) -> bytes:
    """Put the blocks behind the header: eXIf should come before the pixels."""
    at = next(png.chunks(encoded)).end + 4
    chunks = (png.chunk(b"eXIf", exif) if exif else b"") + png.chunk(b"iTXt", PNG_XMP_MARK + xmp)
    return encoded[:at] + chunks + encoded[at:]


_WRITERS = {Format.JPEG: _into_jpeg, Format.WEBP: _into_webp, Format.PNG: _into_png}
