"""Camera raw files, as small as LibRaw accepts them, around previews that a test hands in. Stdlib only.

Their raw data are grey; what matters is where each maker keeps its previews and its orientation.
"""

import struct
from typing import Any, NamedTuple

Entry = tuple[int, Any]  #: type and value: bytes as they are, or numbers

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 1, 2, 3, 4, 5, 7, 10
RAW_PX = (64, 48)  #: width and height of the raw data

_LETTERS = {SHORT: "H", LONG: "I", RATIONAL: "II", SRATIONAL: "ii"}
_ROOM_BYTES = 1_024
_NOTE_BYTES = 512
_REDUCED, _CFA, _YCBCR, _JPEG = 1, 32803, 6, 7
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CANON_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")


class Placed(NamedTuple):
    """A value that lies in the file already."""

    at: int
    size: int


class Structure:
    """A TIFF that grows at its end; the first directory's place is kept free for `finish`."""

    def __init__(self, magic: bytes = b"II*\0", *, first: int = 8, before: bytes = b"") -> None:
        self.first = first
        self.data = bytearray((magic + struct.pack("<I", first) + before).ljust(first + _ROOM_BYTES, b"\0"))

    def put(self, blob: bytes) -> int:
        """Appends `blob` and says where it lies."""
        self.data += b"\0" * (len(self.data) % 2)
        self.data += blob
        return len(self.data) - len(blob)

    def directory(self, entries: dict[int, Entry], following: int = 0) -> int:
        at = len(self.data) + len(self.data) % 2
        return self.put(_directory(entries, at, following))

    def finish(self, entries: dict[int, Entry], following: int = 0) -> bytes:
        first = _directory(entries, self.first, following)
        assert len(first) <= _ROOM_BYTES
        self.data[self.first : self.first + len(first)] = first
        return bytes(self.data)


def _directory(entries: dict[int, Entry], at: int, following: int) -> bytes:
    head, tail = struct.pack("<H", len(entries)), b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, (kind, value) in sorted(entries.items()):
        if isinstance(value, Placed):
            head += struct.pack("<HHII", tag, kind, value.size, value.at)
            continue
        packed, count = _packed(kind, value)
        place = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", values_at + len(tail))
        head += struct.pack("<HHI", tag, kind, count) + place
        tail += packed + b"\0" * (len(packed) % 2) if len(packed) > 4 else b""
    return head + struct.pack("<I", following) + tail


def _packed(kind: int, value: Any) -> tuple[bytes, int]:
    if isinstance(value, bytes):
        return value, len(value)
    numbers = value if isinstance(value, tuple) else (value,)
    letters = _LETTERS[kind]
    return struct.pack("<" + letters * (len(numbers) // len(letters)), *numbers), len(numbers) // len(letters)


def size_px(jpeg: bytes) -> tuple[int, int]:
    """Width and height of a baseline JPEG."""
    frame = jpeg.index(b"\xff\xc0")
    height, width = struct.unpack_from(">HH", jpeg, frame + 5)
    return width, height


def dng(*previews: bytes, orientation: int | None = 1, bitmap_px: tuple[int, int] | None = None) -> bytes:
    """The first preview lies in the main directory, the others in directories of their own, as Adobe does it.

    bitmap_px: size of an uncompressed thumbnail in the main directory, before all previews.
    """
    tiff = Structure()
    raw = {0x00FE: (LONG, 0), **_grey_raw(tiff)}
    pictures = [_jpeg_picture(tiff, preview) for preview in previews]
    if bitmap_px:
        pictures.insert(0, _bitmap_picture(tiff, *bitmap_px))
    main, *others = pictures or [raw]
    subs = [tiff.directory(entries) for entries in ([raw] if pictures else []) + others]
    identity = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    camera: dict[int, Entry] = {
        0x010F: (ASCII, b"Gallmann\0"),
        0x0110: (ASCII, b"Pocket R1\0"),
        0xC612: (BYTE, bytes([1, 4, 0, 0])),
        0xC614: (ASCII, b"Gallmann Pocket R1\0"),
        0xC621: (SRATIONAL, identity),
        0xC628: (RATIONAL, (1, 1, 1, 1, 1, 1)),
    }
    if subs:
        camera[0x014A] = (LONG, tuple(subs))
    if orientation is not None:
        camera[0x0112] = (SHORT, orientation)
    return tiff.finish(main | camera)


def nef(preview: bytes, *, orientation: int = 1) -> bytes:
    """A bitmap thumbnail in the main directory, preview and raw data in sub-directories."""
    tiff = Structure()
    raw = tiff.directory({0x00FE: (LONG, 0), **_grey_raw(tiff)})
    picture = tiff.directory(_pointed_jpeg(tiff, preview))
    camera = _camera(b"NIKON CORPORATION\0", b"NIKON D3\0", orientation)
    return tiff.finish(_bitmap_picture(tiff, 16, 12) | camera | {0x014A: (LONG, (picture, raw))})


def arw(preview: bytes, *, orientation: int = 1) -> bytes:
    """The preview in the main directory, a smaller one in the next, raw data in a sub-directory."""
    tiff = Structure()
    raw = tiff.directory({0x00FE: (LONG, 0), **_grey_raw(tiff)})
    camera = _camera(b"SONY\0", b"ILCE-7M3\0", orientation)
    main = {0x00FE: (LONG, _REDUCED), 0x0103: (SHORT, 6), **_pointed_jpeg(tiff, preview), **camera}
    return tiff.finish(main | {0x014A: (LONG, raw)})


def cr2(preview: bytes, *, orientation: int = 1) -> bytes:
    """Four directories in a row: the preview, nothing worth, a bitmap, and the raw data as lossless JPEG."""
    tiff = Structure(first=16, before=b"CR\2\0\0\0\0\0")
    width, height = RAW_PX
    frame = struct.pack(">BHHB", 14, height, width // 2, 2) + bytes([1, 0x11, 0, 2, 0x11, 0])
    lossless = _segments((0xC3, frame), (0xDA, bytes([2, 1, 0, 2, 0, 1, 0, 0])), ending=bytes(64))
    raw = tiff.directory({0x0103: (SHORT, 6), 0x0111: (LONG, tiff.put(lossless)), 0x0117: (LONG, len(lossless))})
    bitmap = tiff.directory(_bitmap_picture(tiff, 16, 12), raw)
    camera = _camera(b"Canon\0", b"Canon EOS 5D Mark II\0", orientation)
    return tiff.finish(_jpeg_picture(tiff, preview) | {0x0103: (SHORT, 6)} | camera, bitmap)


def orf(preview: bytes, *, orientation: int = 1) -> bytes:
    """Raw data in the main directory; the maker note says where the preview lies, counted from its own start."""
    tiff = Structure(b"IIRO")
    note_at = tiff.put(bytes(_NOTE_BYTES))
    settings_at = 64
    picture = tiff.put(preview)
    settings = _directory({0x0101: (LONG, picture - note_at), 0x0102: (LONG, len(preview))}, settings_at, 0)
    note = b"OLYMPUS\0II\3\0" + _directory({0x2020: (LONG, settings_at)}, 12, 0)
    note = note.ljust(settings_at, b"\0") + settings
    tiff.data[note_at : note_at + len(note)] = note
    exif = tiff.directory({0x927C: (UNDEFINED, Placed(note_at, _NOTE_BYTES))})
    camera = _camera(b"OLYMPUS IMAGING CORP.  \0", b"E-M5\0", orientation)
    return tiff.finish(_grey_raw(tiff) | camera | {0x8769: (LONG, exif)})


def rw2(preview: bytes, *, orientation: int = 1) -> bytes:
    """The preview is the value of a tag; the main directory describes the sensor."""
    tiff = Structure(b"IIU\0", first=24, before=bytes(16))
    width, height = RAW_PX
    raw = tiff.put(bytes(width * height * 2))
    camera = _camera(b"Panasonic\0", b"DMC-GH4\0", orientation)
    sensor: dict[int, Entry] = {
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
    at = tiff.put(preview)
    return tiff.finish(sensor | camera | {0x002E: (UNDEFINED, Placed(at, len(preview)))})


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


def cr3(full: bytes, small: bytes, *, orientation: int = 1) -> bytes:
    """Boxes: Canon's own with EXIF, a track whose one sample is the `full` preview, one with raw data, and `small`."""
    width, height = RAW_PX
    tiff = Structure()
    facts = _camera(b"Canon\0", b"Canon EOS R5\0", orientation)
    facts |= {0x0100: (SHORT, width), 0x0101: (SHORT, height)}
    described = _box(b"uuid", _CANON, _box(b"CMT1", tiff.finish(facts)))
    raw = bytes(1_024)
    sensor = struct.pack(">4xHxx4I4BI", 0x0100, width, height, width, height, 14, 4 << 4, 0, 0, 64)
    head = _box(b"ftyp", b"crx \0\0\0\1crx isom")
    preview = struct.pack(">IHHHHI", 0, 1, *size_px(small), 1, len(small))
    other = _box(b"uuid", _CANON_PREVIEW, struct.pack(">II", 0, 1), _box(b"PRVW", preview, small))
    moov, at = b"", 0
    for _ in range(2):  # its size does not depend on the offsets in it
        at = len(head + moov + other) + 8
        picture = _track(_box(b"JPEG", bytes(4)), at, len(full))
        moov = _box(
            b"moov", described, picture, _track(_box(b"CMP1", sensor.ljust(40, b"\0")), at + len(full), len(raw))
        )
    return head + moov + other + _box(b"mdat", full, raw)


def _track(codec: bytes, at: int, size: int) -> bytes:
    """A track of one sample that lies `at` in the file."""
    entry = _box(b"CRAW", bytes(82), codec)
    table = _box(
        b"stbl",
        _box(b"stsd", struct.pack(">II", 0, 1), entry),
        _box(b"stsz", struct.pack(">III", 0, size, 1)),
        _box(b"co64", struct.pack(">IIQ", 0, 1, at)),
    )
    return _box(b"trak", _box(b"mdia", _box(b"hdlr", bytes(8), b"vide", bytes(13)), _box(b"minf", table)))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def _grey_raw(tiff: Structure) -> dict[int, Entry]:
    width, height = RAW_PX
    pixels = struct.pack("<H", 2_000) * (width * height)
    return {
        0x0100: (LONG, width),
        0x0101: (LONG, height),
        0x0102: (SHORT, 16),
        0x0103: (SHORT, 1),
        0x0106: (SHORT, _CFA),
        0x0111: (LONG, tiff.put(pixels)),
        0x0115: (SHORT, 1),
        0x0116: (LONG, height),
        0x0117: (LONG, len(pixels)),
        0x828D: (SHORT, (2, 2)),
        0x828E: (BYTE, bytes([0, 1, 1, 2])),
    }


def _jpeg_picture(tiff: Structure, jpeg: bytes) -> dict[int, Entry]:
    width, height = size_px(jpeg)
    return {
        0x00FE: (LONG, _REDUCED),
        0x0100: (LONG, width),
        0x0101: (LONG, height),
        0x0102: (SHORT, (8, 8, 8)),
        0x0103: (SHORT, _JPEG),
        0x0106: (SHORT, _YCBCR),
        0x0111: (LONG, tiff.put(jpeg)),
        0x0115: (SHORT, 3),
        0x0116: (LONG, height),
        0x0117: (LONG, len(jpeg)),
    }


def _bitmap_picture(tiff: Structure, width: int, height: int) -> dict[int, Entry]:
    pixels = b"\x80\x40\x20" * (width * height)
    return {
        0x00FE: (LONG, _REDUCED),
        0x0100: (LONG, width),
        0x0101: (LONG, height),
        0x0102: (SHORT, (8, 8, 8)),
        0x0103: (SHORT, 1),
        0x0106: (SHORT, 2),
        0x0111: (LONG, tiff.put(pixels)),
        0x0115: (SHORT, 3),
        0x0116: (LONG, height),
        0x0117: (LONG, len(pixels)),
    }


def _pointed_jpeg(tiff: Structure, jpeg: bytes) -> dict[int, Entry]:
    return {0x0201: (LONG, tiff.put(jpeg)), 0x0202: (LONG, len(jpeg))}


def _camera(make: bytes, model: bytes, orientation: int) -> dict[int, Entry]:
    return {0x010F: (ASCII, make), 0x0110: (ASCII, model), 0x0112: (SHORT, orientation)}


def _segments(*segments: tuple[int, bytes], ending: bytes) -> bytes:
    body = b"".join(struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in segments)
    return b"\xff\xd8" + body + ending + b"\xff\xd9"
