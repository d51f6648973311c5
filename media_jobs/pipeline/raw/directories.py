"""Raw files that are built like a TIFF: DNG, CR2, NEF, ARW, ORF and RW2.

Their previews are JPEGs that a directory points to, its strips, values of tags, or named in maker notes.
"""

from collections import deque
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.raw import ifd, maker_notes
from media_jobs.pipeline.raw.ifd import Beyond, Directory
from media_jobs.pipeline.raw.named import Listing, Unread

_MAX_DIRECTORIES = 64
_MAX_DEPTH = 4
_MAX_BELOW = 32

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC = 0x00FE, 0x0100, 0x0101, 0x0103, 0x0106
_ORIENTATION, _BELOW, _EXIF, _MAKER_NOTE, _ADOBE = 0x0112, 0x014A, 0x8769, 0x927C, 0xC634
_POINTED = (0x0201, 0x0202)
#: Offsets and sizes of strips, and of tiles.
_STRIPS, _TILES = (0x0111, 0x0117), (0x0144, 0x0145)
_JPEG = frozenset({6, 7, 34892})  # old and new, lossy DNG
_JPEG_XL = frozenset({50002, 52546})
_RAW_PHOTOMETRICS = frozenset({32803, 34892})  # colour filter array, linear raw
#: The filter array's pattern, slices of a CR2: nothing but raw data has these.
_RAW_TAGS = frozenset({0x828E, 0xC640})
#: The picture, and smaller ones in the same or in another rendering. Others are masks, depth and the like.
_PICTURES = frozenset({0, 1, 0x10001})
#: Panasonic's: JPEGs that are values, and the sensor's borders (left, top, right, bottom).
_RW2_VALUES, _RW2_BORDERS = (0x002E, 0x0127), (0x0005, 0x0004, 0x0007, 0x0006)


class Role(Enum):
    """What leads to a directory."""

    MAIN = "the header"
    CHAIN = "the one before, from the main one on"
    BELOW = "one above"
    EXIF = "the main one"
    LOOSE = "the one before, elsewhere, where some files have noise"


class Place(NamedTuple):
    at: int
    role: Role
    depth: int


def listing(data: Bytes, kind: str) -> Listing:
    """What the file names; `kind` as `sniff` calls it. Raises Damaged where it has no main directory."""
    found = Listing()
    try:
        structure, first = ifd.parse(data)
    except Beyond:
        found.breaks_off = True
        return found
    waiting, seen = deque([Place(first, Role.MAIN, 0)]), set[int]()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        place = waiting.popleft()
        if place.at in seen:
            continue
        seen.add(place.at)
        try:
            _Visit(structure.directory(place.at), place, kind, found).run(waiting)
        except Beyond:
            found.breaks_off |= place.role is not Role.LOOSE and (place.role is not Role.EXIF or kind == "orf")
        except Damaged:
            if place.role is Role.MAIN:
                raise
    return found


class _Visit:
    """One directory: what it names, and where it leads."""

    def __init__(self, directory: Directory, place: Place, kind: str, found: Listing) -> None:
        self._directory, self._place, self._kind, self._found = directory, place, kind, found
        self._data = directory.structure.data

    def run(self, waiting: deque[Place]) -> None:
        """Raises Beyond once something lies beyond the file's end; what was found before stays."""
        if self._place.role is Role.EXIF:
            self._maker_note()
            return
        if self._place.role is Role.MAIN:
            self._main()
        self._go_on(waiting)
        self._picture()

    def _go_on(self, waiting: deque[Place]) -> None:
        directory, place = self._directory, self._place
        is_chained = place.role in (Role.MAIN, Role.CHAIN)
        if directory.following:
            waiting.append(Place(directory.following, Role.CHAIN if is_chained else Role.LOOSE, place.depth))
        if place.role is Role.MAIN:
            waiting.extend(Place(at, Role.EXIF, 1) for at in directory.places(_EXIF, 1))
        if place.depth < _MAX_DEPTH:
            waiting.extend(Place(at, Role.BELOW, place.depth + 1) for at in directory.places(_BELOW, _MAX_BELOW))

    def _main(self) -> None:
        directory = self._directory
        with suppress(Beyond):
            tag = directory.number(_ORIENTATION)
            self._found.orientation = tag if 1 <= tag <= 8 else 0
        if self._kind == "rw2":
            for tag in _RW2_VALUES:
                if entry := directory.entries.get(tag):
                    self._found.add(((entry.at, entry.at + entry.size_bytes),))
            left, top, right, bottom = (directory.number(tag) for tag in _RW2_BORDERS)
            self._found.add_raw((max(0, right - left), max(0, bottom - top)))
        if self._kind == "dng" and (entry := directory.entries.get(_ADOBE)):
            with suppress(Beyond, Damaged):
                for extents in maker_notes.kept_by_adobe(directory.structure, entry.at, entry.at + entry.size_bytes):
                    self._add_from_note(extents)

    def _picture(self) -> None:
        """The JPEG that the directory points to, and its own picture."""
        directory = self._directory
        size_px = (directory.number(_WIDTH), directory.number(_HEIGHT))
        self._found.add(directory.pair(*_POINTED), size_px)
        if self._is_raw():
            self._found.add_raw(size_px)
        elif directory.number(_SUBFILE_TYPE) in _PICTURES:
            compression = directory.number(_COMPRESSION)
            if compression in _JPEG_XL:
                self._found.unread.append(Unread("JPEG XL", size_px))
            elif compression in _JPEG and (self._kind != "cr2" or self._place.role is Role.MAIN):
                self._pieces(size_px)

    def _is_raw(self) -> bool:
        directory = self._directory
        return (
            directory.number(_PHOTOMETRIC) in _RAW_PHOTOMETRICS
            or not _RAW_TAGS.isdisjoint(directory.entries)
            or (self._kind == "orf" and self._place.role is Role.MAIN)
        )

    def _pieces(self, size_px: tuple[int, int]) -> None:
        """One strip is the JPEG. Several may be its pieces; a tile may be larger than the picture."""
        for tags, most, always_exact in ((_STRIPS, ifd.MAX_VALUES, False), (_TILES, 1, True)):
            starts = self._directory.places(tags[0], most)
            sizes = self._directory.numbers(tags[1], most)
            if starts and len(starts) == len(sizes):
                extents = tuple((start, start + size) for start, size in zip(starts, sizes, strict=True))
                self._found.add(extents, size_px, exact=always_exact or len(extents) > 1)

    def _maker_note(self) -> None:
        directory = self._directory
        if entry := directory.entries.get(_MAKER_NOTE):
            unmarked = self._kind == "arw"
            with suppress(Damaged):
                for extents in maker_notes.previews(directory.structure, entry.at, unmarked=unmarked):
                    self._add_from_note(extents)

    def _add_from_note(self, extents: maker_notes.Extents) -> None:
        """Offsets in a note that a converter moved lead anywhere, so that in a DNG none says that the file is cut."""
        if self._kind != "dng" or all(end <= len(self._data) for _, end in extents):
            self._found.add(extents)
