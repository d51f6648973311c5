"""Camera raw files, as small as LibRaw accepts them, around previews that a test hands in. Stdlib only.

Their raw data are grey; what matters is where each maker keeps its previews and its orientation.
"""

import struct

from tests.formats.raw_tiff import (
    ASCII,
    BYTE,
    LONG,
    RATIONAL,
    RAW_PX,
    SHORT,
    SRATIONAL,
    UNDEFINED,
    Entries,
    Placed,
    Structure,
    bitmap_picture,
    camera,
    directory_bytes,
    grey_raw,
    jpeg_picture,
    pointed_jpeg,
    size_px,
)

_NOTE_BYTES = 512
_REDUCED = 1
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CANON_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")


def said_px(preview: bytes) -> tuple[int, int]:
    """What a maker writes beside a preview."""
    return size_px(preview) if preview.startswith(b"\xff\xd8") else (0, 0)


def dng(
    *previews: bytes,
    orientation: int | None = 1,
    bitmap_px: tuple[int, int] | None = None,
    magic: bytes = b"II*\0",
) -> bytes:
    """The first preview lies in the main directory, the others in directories of their own, as Adobe does it.

    bitmap_px: size of an uncompressed thumbnail in the main directory, before all previews.
    """
    tiff = Structure(magic)
    raw = {0x00FE: (LONG, 0), **grey_raw(tiff)}
    pictures = [jpeg_picture(tiff, preview) for preview in previews]
    if bitmap_px:
        pictures.insert(0, bitmap_picture(tiff, *bitmap_px))
    main, *others = pictures or [raw]
    subs = [tiff.directory(entries) for entries in ([raw] if pictures else []) + others]
    identity = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    facts: Entries = {
        0x010F: (ASCII, b"Gallmann\0"),
        0x0110: (ASCII, b"Pocket R1\0"),
        0xC612: (BYTE, bytes([1, 4, 0, 0])),
        0xC614: (ASCII, b"Gallmann Pocket R1\0"),
        0xC621: (SRATIONAL, identity),
        0xC628: (RATIONAL, (1, 1, 1, 1, 1, 1)),
    }
    if subs:
        facts[0x014A] = (LONG, tuple(subs))
    if orientation is not None:
        facts[0x0112] = (SHORT, orientation)
    return tiff.finish(main | facts)


def jpeg_xl_dng(preview: bytes, jpeg_xl: bytes) -> bytes:
    """DNG 1.7: a larger preview that is coded as JPEG XL."""
    tiff = Structure()
    raw = tiff.directory({0x00FE: (LONG, 0), **grey_raw(tiff)})
    larger = tiff.directory(jpeg_picture(tiff, jpeg_xl, px=(4_000, 3_000)) | {0x0103: (SHORT, 52546)})
    facts: Entries = {0xC612: (BYTE, bytes([1, 7, 0, 0])), 0x014A: (LONG, (raw, larger))}
    return tiff.finish(jpeg_picture(tiff, preview) | camera(b"Gallmann\0", b"Pocket R1\0", 1) | facts)


def nef(preview: bytes, *, orientation: int = 1, magic: bytes = b"II*\0") -> bytes:
    """A bitmap thumbnail in the main directory, preview and raw data in sub-directories."""
    tiff = Structure(magic)
    raw = tiff.directory({0x00FE: (LONG, 0), **grey_raw(tiff)})
    picture = tiff.directory(pointed_jpeg(tiff, preview))
    facts = camera(b"NIKON CORPORATION\0", b"NIKON D3\0", orientation)
    return tiff.finish(bitmap_picture(tiff, 16, 12) | facts | {0x014A: (LONG, (picture, raw))})


def arw(preview: bytes, *, orientation: int = 1) -> bytes:
    """The preview in the main directory, a smaller one in the next, raw data in a sub-directory."""
    tiff = Structure()
    raw = tiff.directory({0x00FE: (LONG, 0), **grey_raw(tiff)})
    facts = camera(b"SONY\0", b"ILCE-7M3\0", orientation)
    main = {0x00FE: (LONG, _REDUCED), 0x0103: (SHORT, 6), **pointed_jpeg(tiff, preview), **facts}
    return tiff.finish(main | {0x014A: (LONG, raw)})


def cr2(preview: bytes, *, orientation: int = 1) -> bytes:
    """Four directories in a row: the preview, nothing worth, a bitmap, and the raw data as lossless JPEG."""
    tiff = Structure(first=16, before=b"CR\2\0\0\0\0\0")
    width, height = RAW_PX
    frame = struct.pack(">BHHB", 14, height, width // 2, 2) + bytes([1, 0x11, 0, 2, 0x11, 0])
    lossless = segments((0xC3, frame), (0xDA, bytes([2, 1, 0, 2, 0, 1, 0, 0])), ending=bytes(64))
    raw = tiff.directory({0x0103: (SHORT, 6), 0x0111: (LONG, tiff.put(lossless)), 0x0117: (LONG, len(lossless))})
    bitmap = tiff.directory(bitmap_picture(tiff, 16, 12), raw)
    facts = camera(b"Canon\0", b"Canon EOS 5D Mark II\0", orientation)
    return tiff.finish(jpeg_picture(tiff, preview) | {0x0103: (SHORT, 6)} | facts, bitmap)


def orf(preview: bytes, *, orientation: int = 1) -> bytes:
    """Raw data in the main directory; the maker note says where the preview lies, counted from its own start."""
    tiff = Structure(b"IIRO")
    note_at = tiff.put(bytes(_NOTE_BYTES))
    settings_at = 64
    picture = tiff.put(preview)
    settings = directory_bytes({0x0101: (LONG, picture - note_at), 0x0102: (LONG, len(preview))}, settings_at, 0)
    note = b"OLYMPUS\0II\3\0" + directory_bytes({0x2020: (LONG, settings_at)}, 12, 0)
    note = note.ljust(settings_at, b"\0") + settings
    tiff.data[note_at : note_at + len(note)] = note
    exif = tiff.directory({0x927C: (UNDEFINED, Placed(note_at, _NOTE_BYTES))})
    facts = camera(b"OLYMPUS IMAGING CORP.  \0", b"E-M5\0", orientation)
    return tiff.finish(grey_raw(tiff) | facts | {0x8769: (LONG, exif)})


def rw2(preview: bytes, *, orientation: int = 1, second: bytes = b"") -> bytes:
    """The preview is the value of a tag, newer ones have a `second`; the main directory describes the sensor."""
    tiff = Structure(b"IIU\0", first=24, before=bytes(16))
    width, height = RAW_PX
    raw = tiff.put(bytes(width * height * 2))
    facts = camera(b"Panasonic\0", b"DMC-GH4\0", orientation)
    sensor: Entries = {
        0x0001: (UNDEFINED, b"0310"),
        0x0002: (SHORT, width),
        0x0003: (SHORT, height),
        0x0004: (SHORT, 0),
        0x0005: (SHORT, 0),
        0x0006: (SHORT, height),
        0x0007: (SHORT, width),
        0x0009: (SHORT, 3),
        0x000A: (SHORT, 12),
        0x0118: (LONG, raw),
    }
    if second:
        sensor[0x0127] = (UNDEFINED, Placed(tiff.put(second), len(second)))
    at = tiff.put(preview)
    return tiff.finish(sensor | facts | {0x002E: (UNDEFINED, Placed(at, len(preview)))})


def raf(preview: bytes) -> bytes:
    """The preview has EXIF, which is the file's only one; the rest is Fuji's own."""
    width, height = RAW_PX
    picture_at, pixels = 160, struct.pack("<H", 2_000) * (width * height)
    described_at = picture_at + len(preview)
    described = struct.pack(">IHHHH", 1, 0x0100, 4, height, width)
    raw_at = described_at + len(described)
    head = b"FUJIFILMCCD-RAW 0201FF383501X100".ljust(60, b"\0") + b"0100"
    places = (picture_at, len(preview), described_at, len(described), raw_at, len(pixels))
    return (head.ljust(84, b"\0") + struct.pack(">6I", *places)).ljust(picture_at, b"\0") + preview + described + pixels


def cr3(
    full: bytes,
    small: bytes,
    *,
    orientation: int = 1,
    thumbnail: bytes = b"",
    raw: bytes = bytes(1_024),
    codec: bytes = b"JPEG",
) -> bytes:
    """Boxes: Canon's own with EXIF, a track whose one sample is the `full` preview, one with raw data, and `small`.

    full, small: sizes are those of the JPEG, or zeros where they are none. codec: what the first track says it is.
    """
    width, height = RAW_PX
    tiff = Structure()
    facts = camera(b"Canon\0", b"Canon EOS R5\0", orientation)
    facts |= {0x0100: (SHORT, width), 0x0101: (SHORT, height)}
    thumb = struct.pack(">IHHII", 0, *said_px(thumbnail), len(thumbnail), 1 << 16)
    extra = (box(b"THMB", thumb, thumbnail),) if thumbnail else ()
    described = box(b"uuid", _CANON, box(b"CMT1", tiff.finish(facts)), *extra)
    sensor = struct.pack(">4xHxx4I4BI", 0x0100, width, height, width, height, 14, 4 << 4, 0, 0, 64)
    head = box(b"ftyp", b"crx \0\0\0\1crx isom")
    preview = struct.pack(">IHHHHI", 0, 1, *said_px(small), 1, len(small))
    other = box(b"uuid", _CANON_PREVIEW, struct.pack(">II", 0, 1), box(b"PRVW", preview, small))
    moov, at = b"", 0
    for _ in range(2):  # its size does not depend on the offsets in it
        at = len(head + moov + other) + 8
        picture = track(box(codec, bytes(4)), at, len(full), said_px(full))
        moov = box(b"moov", described, picture, track(box(b"CMP1", sensor.ljust(40, b"\0")), at + len(full), len(raw)))
    return head + moov + other + box(b"mdat", full, raw)


def track(codec: bytes, at: int, size: int, px: tuple[int, int] = (0, 0)) -> bytes:
    """A track of one sample that lies `at` in the file."""
    entry = box(b"CRAW", struct.pack(">24x2H54x", *px), codec)
    table = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        box(b"stsc", struct.pack(">5I", 0, 1, 1, 1, 1)),
        box(b"stsz", struct.pack(">III", 0, size, 1)),
        box(b"co64", struct.pack(">IIQ", 0, 1, at)),
    )
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), b"vide", bytes(13)), box(b"minf", table)))


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def segments(*segments: tuple[int, bytes], ending: bytes) -> bytes:
    body = b"".join(struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in segments)
    return b"\xff\xd8" + body + ending + b"\xff\xd9"
