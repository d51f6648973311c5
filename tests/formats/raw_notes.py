"""Raw files whose largest preview only a maker's note names, as small as their layouts allow. Stdlib only."""

import struct
from typing import NamedTuple

from tests.formats import raw_tiff
from tests.formats.raw_tiff import BYTE, LONG, SHORT, UNDEFINED, Entries, Placed, Structure, camera, directory_bytes

_NOTE_BYTES = 512
_BELOW_AT = 96


class Note(NamedTuple):
    """A maker's layout: what it starts with, where its directory lies, and what its offsets count from.

    tags: of the preview's offset and length; one alone is a value. below: tag of a directory that has them.
    """

    make: bytes
    mark: bytes
    first: int
    own_base: bool
    tags: tuple[int, ...]
    below: int = 0
    base: int = 0  #: where offsets count from, after the start of the note
    lead: bytes = b""  #: what stands before the JPEG in a tag's value


NOTES = {
    "nikon": Note(b"NIKON CORPORATION\0", b"Nikon\0\2\x11\0\0", 18, True, (0x0201, 0x0202), 0x0011, base=10),
    "olympus": Note(b"OLYMPUS CORPORATION\0", b"OLYMPUS\0@@\3\0", 12, True, (0x0101, 0x0102), 0x2020),
    "om system": Note(b"OM Digital Solutions\0", b"OM SYSTEM\0\0\0@@\4\0", 16, True, (0x0101, 0x0102), 0x2020),
    "olympus, old": Note(b"OLYMPUS OPTICAL CO.,LTD\0", b"OLYMP\0\1\0", 8, False, (0x1036, 0x1037)),
    "sony": Note(b"SONY\0", b"SONY DSC \0\0\0", 12, False, (0x2001,), lead=bytes(32)),
    "sony, unmarked": Note(b"SONY\0", b"", 0, False, (0x2001,), lead=bytes(32)),
    "minolta": Note(b"SONY\0", b"", 0, False, (0x0088, 0x0089)),
}


def with_note(name: str, preview: bytes, *, magic: bytes = b"II*\0") -> bytes:
    """A file of that maker; all that its directories have themselves is a bitmap."""
    note = NOTES[name]
    olympus = note.make.startswith(b"O")
    tiff = Structure({b"I": b"IIRO", b"M": b"MMOR"}[magic[:1]] if olympus else magic)
    note_at = tiff.put(bytes(_NOTE_BYTES))
    picture_at = tiff.put(note.lead + preview)
    packed = _packed(note, note_at, picture_at, len(note.lead + preview), tiff.order)
    tiff.data[note_at : note_at + len(packed)] = packed
    exif = tiff.directory({0x927C: (UNDEFINED, Placed(note_at, _NOTE_BYTES))})
    facts: Entries = {**camera(note.make, b"Pocket R1\0", 1), 0x8769: (LONG, exif)}
    if olympus:
        return tiff.finish(raw_tiff.grey_raw(tiff) | facts)
    raw = tiff.directory({0x00FE: (LONG, 0), **raw_tiff.grey_raw(tiff)})
    return tiff.finish(raw_tiff.bitmap_picture(tiff, 16, 12) | facts | {0x014A: (LONG, raw)})


def _packed(note: Note, note_at: int, picture_at: int, size: int, order: str) -> bytes:
    letters = b"II" if order == "<" else b"MM"
    base = note_at + note.base if note.own_base else 0
    named: Entries = (
        {note.tags[0]: (UNDEFINED, Placed(picture_at, size))}
        if len(note.tags) == 1
        else {note.tags[0]: (LONG, picture_at - base), note.tags[1]: (LONG, size)}
    )
    named[0xB001] = (SHORT, 1)  # a directory of one entry is of another camera's
    mark = note.mark.replace(b"@@", letters)
    if note.base:  # a TIFF of its own
        mark += letters + struct.pack(order + "HI", 42, note.first - note.base)
    below_at = note_at + _BELOW_AT - base
    main: Entries = {note.below: (LONG, below_at)} if note.below else named
    packed = mark + directory_bytes(main, note_at + note.first - base, 0, order)
    if note.below:
        packed = packed.ljust(_BELOW_AT, b"\0") + directory_bytes(named, below_at, 0, order)
    return packed


def converted_dng(preview: bytes, *, in_note: bytes) -> bytes:
    """A DNG that Adobe's converter made of a NEF: the maker's note lies, moved, in private data."""
    note = NOTES["nikon"]
    packed = _packed(note, 0, _NOTE_BYTES, len(in_note), ">").ljust(_NOTE_BYTES, b"\0") + in_note
    block = b"MM" + struct.pack(">I", 0x1234) + packed
    private = b"Adobe\0" + b"MakN" + struct.pack(">I", len(block)) + block
    tiff = Structure()
    raw = tiff.directory({0x00FE: (LONG, 0), **raw_tiff.grey_raw(tiff)})
    facts: Entries = {
        0xC612: (BYTE, bytes([1, 4, 0, 0])),
        0xC634: (BYTE, Placed(tiff.put(private), len(private))),
        0x014A: (LONG, raw),
    }
    return tiff.finish(raw_tiff.jpeg_picture(tiff, preview) | facts)


def dng_with_unmarked_note(preview: bytes, *, hidden: bytes) -> bytes:
    """A DNG whose larger preview lies in a note that nothing tells the maker of; LibRaw reads it all the same."""
    tiff = Structure()
    hidden_at = tiff.put(hidden)
    note_at = len(tiff.data)
    note = directory_bytes({0x0088: (LONG, hidden_at), 0x0089: (LONG, len(hidden))}, note_at, 0)
    exif = tiff.directory({0x927C: (UNDEFINED, Placed(tiff.put(note), len(note)))})
    raw = tiff.directory({0x00FE: (LONG, 0), **raw_tiff.grey_raw(tiff)})
    facts: Entries = {
        **camera(b"Gallmann\0", b"Pocket R1\0", 1),
        0xC612: (BYTE, bytes([1, 4, 0, 0])),
        0x8769: (LONG, exif),
        0x014A: (LONG, raw),
    }
    return tiff.finish(raw_tiff.jpeg_picture(tiff, preview) | facts)


def big_dng(preview: bytes, *, orientation: int) -> bytes:
    """A DNG with offsets of 64 bits, as DNG 1.6 allows."""
    entries = (
        (0x00FE, LONG, 1),
        (0x0103, SHORT, 7),
        (0x0106, SHORT, 6),
        (0x0111, LONG, 16),
        (0x0112, SHORT, orientation),
        (0x0117, LONG, len(preview)),
        (0xC612, BYTE, 0x0601),
    )
    packed = b"".join(
        struct.pack("<HHQ", tag, kind, 4 if kind == BYTE else 1) + struct.pack("<Q", value)
        for tag, kind, value in entries
    )
    at = 16 + len(preview)
    return b"II+\0" + struct.pack("<HHQ", 8, 0, at) + preview + struct.pack("<Q", len(entries)) + packed + bytes(8)
