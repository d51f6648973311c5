"""One tiny picture of every format, by which a start proves that nothing is missing. Stdlib only.

JPEG, WebP, AVIF and PNG come from the decoder itself, which proves that it can write them, too.
"""

import base64
import struct
import zlib

from media_jobs.pipeline.recipes import Format, Preset, Rendition

#: The oldest libvips that this pipeline was written for.
OLDEST_LIBVIPS = (8, 15)
SIDE_PX = 16
#: What the decoder writes of `png()`, and then must read.
WRITTEN = (Format.JPEG, Format.WEBP, Format.AVIF, Format.PNG)

_RAW_SIDE_PX = 32  # LibRaw takes no smaller one for a raw file
_BLACK = b"\0\0\0"
_SHORT, _LONG = 3, 4


def preset(format: Format) -> Preset:
    """One output in `format`, of the whole picture."""
    return Preset("selftest", (Rendition(format.value, SIDE_PX, format=format),))


def given() -> dict[str, bytes]:
    """Samples of the formats that the decoder reads and does not write. For raw ones see `dng`."""
    return {"gif": _gif(), "tiff": _tiff(), "bmp": _bmp(), "heic": _HEIC}


def png() -> bytes:
    """A black PNG."""
    header = struct.pack(">IIBBBBB", SIDE_PX, SIDE_PX, 8, 2, 0, 0, 0)
    lines = zlib.compress((b"\0" + _BLACK * SIDE_PX) * SIDE_PX)
    chunks = ((b"IHDR", header), (b"IDAT", lines), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def dng(preview: bytes) -> bytes:
    """A camera raw file with `preview`, a JPEG of ours, and no more raw data than LibRaw asks for."""
    side, raw = _RAW_SIDE_PX, bytes(2 * _RAW_SIDE_PX**2)
    preview_at = 8
    raw_at = preview_at + len(preview) + len(preview) % 2
    raw_directory_at = raw_at + len(raw)
    raw_directory = _directory(
        {
            0x0100: (_LONG, side),
            0x0101: (_LONG, side),
            0x0102: (_SHORT, 16),
            0x0103: (_SHORT, 1),
            0x0106: (_SHORT, 32803),  # colour filter array
            0x0111: (_LONG, raw_at),
            0x0115: (_SHORT, 1),
            0x0117: (_LONG, len(raw)),
            0x828D: (_SHORT, 2 | 2 << 16),  # pattern of two by two
            0x828E: (1, 0x02010100),  # … red, green, green, blue
        }
    )
    first_directory_at = raw_directory_at + len(raw_directory)
    first_directory = _directory(
        {
            0x00FE: (_LONG, 1),  # a smaller version of the picture
            0x0100: (_LONG, SIDE_PX),
            0x0101: (_LONG, SIDE_PX),
            0x0103: (_SHORT, 7),  # JPEG
            0x0106: (_SHORT, 6),
            0x010F: (2, 0x47),  # maker and model: "G"
            0x0110: (2, 0x47),
            0x0111: (_LONG, preview_at),
            0x0117: (_LONG, len(preview)),
            0x014A: (_LONG, raw_directory_at),
            0xC612: (1, 0x00000401),  # DNG 1.4
        }
    )
    body = preview.ljust(raw_at - preview_at, b"\0") + raw + raw_directory + first_directory
    return b"II*\0" + struct.pack("<I", first_directory_at) + body


def _gif() -> bytes:
    head = struct.pack("<6sHHBBB", b"GIF89a", SIDE_PX, SIDE_PX, 0x80, 0, 0) + _BLACK + b"\xff\xff\xff"
    # Codes of three bits; a clear code (4) before each pair of pixels (0, 0) keeps them so. 5 is the end.
    codes = (4, 0, 0) * (SIDE_PX**2 // 2) + (5,)
    bits = sum(code << (3 * at) for at, code in enumerate(codes))
    data = bits.to_bytes(len(codes) * 3 // 8 + 1, "little")
    return head + struct.pack("<cHHHHBBB", b",", 0, 0, SIDE_PX, SIDE_PX, 0, 2, len(data)) + data + b"\0;"


def _tiff() -> bytes:
    pixels = bytes(SIDE_PX**2)
    directory = _directory(
        {
            0x0100: (_LONG, SIDE_PX),
            0x0101: (_LONG, SIDE_PX),
            0x0102: (_SHORT, 8),
            0x0103: (_SHORT, 1),
            0x0106: (_SHORT, 1),  # 0 is black
            0x0111: (_LONG, 8),
            0x0117: (_LONG, len(pixels)),
        }
    )
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def _bmp() -> bytes:
    pixels = _BLACK * SIDE_PX**2
    info = struct.pack("<IiiHHIIiiII", 40, SIDE_PX, SIDE_PX, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54) + info + pixels


_COUNTS = {0x828D: 2, 0x828E: 4, 0xC612: 4, 0x010F: 2, 0x0110: 2}


def _directory(tags: dict[int, tuple[int, int]]) -> bytes:
    """A TIFF directory of values that fit into four bytes: tag → type and value."""
    entries = (struct.pack("<HHII", tag, kind, _COUNTS.get(tag, 1), value) for tag, (kind, value) in tags.items())
    return struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4)


#: Nothing here can write one. Made with pillow-heif: a red picture of SIDE_PX, saved with `quality=50`.
_HEIC = base64.b64decode(
    """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERA
AAEAAQAAAAABoAABAAAAAAAAADIAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADcaXBjbwAA
AHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq
rprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEAAAAQ
AAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAOm1kYXQAAAAuKAGvEyFiY0D1JyL//vKq
f+3aZ/0r2WFncrrBW/L6wPZkm8DzqpGegIdppzAVeA==
"""
)
