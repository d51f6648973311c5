"""CR3: boxes of an ISO base media file. Canon's own hold previews, and so does the first of the tracks."""

from collections.abc import Iterator
from contextlib import suppress

from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.formats.isobmff import Box
from media_jobs.pipeline.raw import ifd
from media_jobs.pipeline.raw.named import Listing, Px, Unread

_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_MAX_BOXES = 256
_ORIENTATION = 0x0112
#: Of a sample entry: where its width and height lie, and where the boxes in it begin.
_ENTRY_SIZE_AT, _ENTRY_BOXES_AT = 24, 82
#: Where width and height lie in Canon's previews, by box; their length follows, the JPEG lies behind 16 bytes.
_SIZE_AT = {"THMB": 4, "PRVW": 6}
_LENGTH_AT = {"THMB": 8, "PRVW": 12}
_JPEG_AT = 16
_RAW_SIZE_AT = 8
_HEVC = frozenset({"HEVC", "hvcC"})


def listing(data: Bytes) -> Listing:
    """What the file names. Raises Damaged where it has no `moov`."""
    found = Listing()
    movie, has_samples = None, False
    for box in _boxes(data, 0, len(data)):
        if box.kind == "moov":
            movie = box
            _movie(data, box, found)
        elif box.kind == "mdat":
            has_samples = True
        elif box.kind == "uuid" and bytes(data[box.start : box.start + 16]) == _PREVIEW:
            for inner in _boxes(data, box.start + 24, box.end):  # 16 of the UUID, 8 of its own
                _canon_preview(data, inner, found)
    if movie is None:
        raise Damaged("no moov")
    found.breaks_off = movie.end > len(data) or not has_samples  # they come last, behind what may hold a preview
    return found


def _boxes(data: Bytes, start: int, end: int) -> Iterator[Box]:
    """One level of boxes; the last may reach beyond the file."""
    for _ in range(_MAX_BOXES):
        if min(end, len(data)) - start < 8:
            return
        size, content = int.from_bytes(data[start : start + 4], "big"), start + 8
        if size == 1:
            size, content = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
        stop = start + size if size else end
        if stop < content:
            return
        yield Box(bytes(data[start + 4 : start + 8]).decode("latin-1"), content, stop)
        start = stop


def _find(data: Bytes, box: Box, *path: str) -> Box | None:
    """The first box at `path` below `box`."""
    for kind in path:
        below = next((inner for inner in _boxes(data, box.start, box.end) if inner.kind == kind), None)
        if below is None:
            return None
        box = below
    return box


def _movie(data: Bytes, movie: Box, found: Listing) -> None:
    for box in _boxes(data, movie.start, movie.end):
        if box.kind == "uuid" and bytes(data[box.start : box.start + 16]) == _CANON:
            for inner in _boxes(data, box.start + 16, box.end):
                if inner.kind == "CMT1":
                    found.orientation = _orientation(data, inner)
                _canon_preview(data, inner, found)
        elif box.kind == "trak" and (table := _find(data, box, "mdia", "minf", "stbl")):
            _track(data, table, found)


def _orientation(data: Bytes, box: Box) -> int:
    with suppress(ifd.Beyond, Damaged):
        structure, first = ifd.parse(data, box.start)
        tag = structure.directory(first).number(_ORIENTATION)
        return tag if 1 <= tag <= 8 else 0
    return 0


def _canon_preview(data: Bytes, box: Box, found: Listing) -> None:
    if box.kind in _SIZE_AT and box.start + _JPEG_AT <= len(data):
        start = box.start + _JPEG_AT
        size = _integer(data, box.start + _LENGTH_AT[box.kind], 4)
        found.add(((start, start + size),), _size_px(data, box.start + _SIZE_AT[box.kind]))


def _track(data: Bytes, table: Box, found: Listing) -> None:
    """The track whose `stbl` this is: raw data, a preview in HEVC, or one that may be a JPEG."""
    entry = _find(data, table, "stsd")
    described = next(_boxes(data, entry.start + 8, entry.end), None) if entry else None
    if described is None or described.kind != "CRAW":
        return
    size_px = _size_px(data, described.start + _ENTRY_SIZE_AT)
    codecs = {box.kind: box for box in _boxes(data, described.start + _ENTRY_BOXES_AT, described.end)}
    if "CMP1" in codecs:
        at = codecs["CMP1"].start + _RAW_SIZE_AT
        found.add_raw((_integer(data, at, 4), _integer(data, at + 4, 4)))
    elif not _HEVC.isdisjoint(codecs):
        found.unread.append(Unread("HEVC", size_px))
    elif extent := _first_sample(data, table):
        found.add((extent,), size_px)


def _first_sample(data: Bytes, table: Box) -> tuple[int, int] | None:
    wide, narrow = _find(data, table, "co64"), _find(data, table, "stco")
    sizes, places = _find(data, table, "stsz"), wide or narrow
    if sizes is None or places is None or not _integer(data, places.start + 4, 4):
        return None
    start = _integer(data, places.start + 8, 8 if wide else 4)
    size = _integer(data, sizes.start + 4, 4)
    if not size and sizes.start + 16 <= sizes.end:  # each has a size of its own
        size = _integer(data, sizes.start + 12, 4)
    return start, start + size


def _size_px(data: Bytes, at: int) -> Px:
    return _integer(data, at, 2), _integer(data, at + 2, 2)


def _integer(data: Bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")
