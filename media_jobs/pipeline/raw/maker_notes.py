"""Previews that makers name in notes of their own: within EXIF, or kept by Adobe's converter in a DNG."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from media_jobs.pipeline.raw.ifd import Directory, Structure, parse

Extents = tuple[tuple[int, int], ...]
Pairs = tuple[tuple[int, int], ...]  #: tags of offset and length

_JPEG = b"\xff\xd8\xff"
_ORDERS = {b"II": "<", b"MM": ">"}
#: Sony's header before a preview that is a tag's value.
_SONY_HEADER_BYTES = 32
_MAX_BLOCKS = 32


@dataclass(frozen=True, slots=True)
class _Note:
    """A maker's layout.

    first: of the note's directory, from the note's start. order_at: of its byte order; 0 where it is the file's.
    own_base: offsets count from the note's start. values: tags that are a preview. below: directories under a tag.
    """

    mark: bytes
    first: int
    order_at: int = 0
    own_base: bool = False
    pairs: Pairs = ()
    values: tuple[int, ...] = ()
    below: Mapping[int, Pairs] = field(default_factory=dict)


_OLYMPUS_PAIRS = ((0x1036, 0x1037), (0x0088, 0x0089))
_OLYMPUS_BELOW = {0x2020: ((0x0101, 0x0102),)}
_MINOLTA_PAIRS = ((0x0088, 0x0089),)
_PENTAX_PAIRS = ((0x0004, 0x0003),)
_NOTES = (
    _Note(b"OLYMPUS\0", 12, 8, True, _OLYMPUS_PAIRS, (0x0081,), _OLYMPUS_BELOW),
    _Note(b"OM SYSTEM\0\0\0", 16, 12, True, _OLYMPUS_PAIRS, (), _OLYMPUS_BELOW),
    _Note(b"OLYMP\0", 8, 0, False, _OLYMPUS_PAIRS, (0x0081,), _OLYMPUS_BELOW),
    _Note(b"SONY", 12, 0, False, _MINOLTA_PAIRS, (0x2001,)),
    _Note(b"PENTAX \0", 10, 8, True, _PENTAX_PAIRS),
    _Note(b"AOC\0", 6, 4, False, _PENTAX_PAIRS),
)
#: Sony's and Minolta's without a mark; nobody else's is looked at without one.
_UNMARKED = _Note(b"", 0, 0, False, _MINOLTA_PAIRS, (0x2001, 0x0081))
#: Nikon's is a TIFF of its own, with a directory of the preview.
_NIKON, _NIKON_HEADER_AT = b"Nikon\0\x02", 10
_NIKON_BELOW = {0x0011: ((0x0201, 0x0202),)}


def previews(structure: Structure, at: int, *, unmarked: bool = False) -> Iterator[Extents]:
    """Those that the note at `at` in the file names. structure: of the directory that points to it.

    unmarked: a note without a mark is Sony's or Minolta's. Raises Beyond, Damaged.
    """
    start = bytes(structure.data[max(at, 0) : at + 16])
    if start.startswith(_NIKON):
        own, first = parse(structure.data, at + _NIKON_HEADER_AT)
        yield from _named(own.directory(first), _Note(b"", 0, below=_NIKON_BELOW))
        return
    note = next((note for note in _NOTES if start.startswith(note.mark)), _UNMARKED if unmarked else None)
    if note is None:
        return
    order = _ORDERS.get(start[note.order_at : note.order_at + 2], structure.order) if note.order_at else structure.order
    own = Structure(structure.data, order, at if note.own_base else structure.base)
    yield from _named(own.directory(at + note.first), note)


def kept_by_adobe(structure: Structure, at: int, end: int) -> Iterator[Extents]:
    """Those in the maker note that lies, moved, in a DNG's private data from `at` to `end`. Raises Beyond, Damaged."""
    if structure.read(at, 6) != b"Adobe\0":
        return
    blocks = Structure(structure.data, ">")
    at += 6
    for _ in range(_MAX_BLOCKS):
        if at + 8 > end:
            return
        size = blocks.integer(at + 4, 4)
        if blocks.read(at, 4) == b"MakN":
            order = _ORDERS.get(blocks.read(at + 8, 2), ">")
            note_at = at + 14
            moved_by = note_at - blocks.integer(at + 10, 4)
            yield from previews(Structure(structure.data, order, moved_by), note_at)
        at += 8 + size + size % 2


def _named(directory: Directory, note: _Note) -> Iterator[Extents]:
    for pair in note.pairs:
        yield directory.pair(*pair)
    for tag in note.values:
        if entry := directory.entries.get(tag):
            data, start = directory.structure.data, entry.at
            moved = start + _SONY_HEADER_BYTES
            is_behind = bytes(data[start : start + 3]) != _JPEG and bytes(data[moved : moved + 3]) == _JPEG
            yield ((moved if is_behind else start, start + entry.size_bytes),)
    for tag, pairs in note.below.items():
        for at in _below(directory, tag):
            lower = directory.structure.directory(at)
            yield from (lower.pair(*pair) for pair in pairs)


def _below(directory: Directory, tag: int) -> tuple[int, ...]:
    """Where a directory under a tag lies: where the tag's offset leads, or, in old notes, in its value."""
    entry = directory.entries.get(tag)
    if entry is None:
        return ()
    return directory.places(tag, 1) or ((entry.at,) if entry.size_bytes > 4 else ())
