"""Which of the previews that a raw file names are JPEGs, whole and readable; the largest first."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from media_jobs import errors
from media_jobs.pipeline.formats import jpeg, tiff
from media_jobs.pipeline.formats.common import Bytes, Damaged
from media_jobs.pipeline.raw import boxes, directories, fuji
from media_jobs.pipeline.raw.named import Listing, Named, Px, Unread

_START = b"\xff\xd8\xff"
#: Frames that decoders read: baseline, extended, progressive, and the arithmetic ones of these.
_READABLE = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {jpeg.DHT, 0xC8, 0xCC}
_COMPONENTS = frozenset({1, 3, 4})
_BITS = 8
#: So much of a preview is read to find its frame: the first usually does, behind large colour profiles the second.
_HEADS_BYTES = (65_536, 1_048_576)
_CHUNK_BYTES = 1_048_576
#: How files in other codings begin: HEVC with a start code, JPEG XL bare and in boxes.
_OTHER_CODINGS = (
    (b"\0\0\0\1", "HEVC"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
)


@dataclass(frozen=True, slots=True)
class Whole:
    """A JPEG that lies in the file; its own frame says `size_px`. own_orientation: of its EXIF, 0 if it has none."""

    named: Named
    size_px: Px
    own_orientation: int

    def chunks(self, data: Bytes) -> Iterator[bytes]:
        """Its bytes, joined."""
        for start, end in self.named.extents:
            for at in range(start, end, _CHUNK_BYTES):
                yield bytes(data[at : min(at + _CHUNK_BYTES, end)])


def listing(data: Bytes, kind: str) -> Listing:
    """Everything that the raw file names; `kind` as `sniff` calls it. Raises Damaged where there is no structure."""
    if kind == "cr3":
        return boxes.listing(data)
    return fuji.listing(data) if kind == "raf" else directories.listing(data, kind)


def whole_previews(data: Bytes, found: Listing) -> list[Whole]:
    """Those that can be used, the largest first; those in other codings are added to `found.unread`.

    Raises Truncated where the largest lies beyond the file's end, or a directory does that may name a larger one.
    """
    usable: list[Whole] = []
    cut: list[tuple[Named, Px]] = []
    for named in found.previews:
        head, frame = _frame(data, named)
        size_px = frame.size_px if frame else named.said_px
        if not (head.startswith(_START) or _START.startswith(head)):
            found.unread.extend(Unread(coding, named.said_px) for coding in _other_codings(head))
        elif named.end > len(data):
            if frame is None or frame.is_readable:
                cut.append((named, size_px))
        elif frame and frame.is_readable and (not named.exact or frame.size_px == named.said_px):
            usable.append(Whole(named, frame.size_px, _own_orientation(head)))
    usable.sort(key=lambda whole: (_pixels(whole.size_px), whole.named.size_bytes), reverse=True)
    best = usable[0] if usable else None
    if found.breaks_off or any(best is None or _is_larger(named, size_px, best) for named, size_px in cut):
        raise errors.Truncated
    return usable


def _is_larger(named: Named, size_px: Px, best: Whole) -> bool:
    """Whether a preview that is cut off would have been larger: by its pixels or, where nothing tells, its bytes."""
    if _pixels(size_px):
        return _pixels(size_px) > _pixels(best.size_px)
    return named.size_bytes > best.named.size_bytes


def _pixels(size_px: Px) -> int:
    return size_px[0] * size_px[1]


@dataclass(frozen=True, slots=True)
class _Frame:
    size_px: Px
    is_readable: bool


def _frame(data: Bytes, named: Named) -> tuple[bytes, _Frame | None]:
    """The first bytes of a preview, and its frame if it lies in there."""
    head = b""
    for size in _HEADS_BYTES:
        longer = _head(data, named, size)
        if len(longer) > len(head):
            head = longer
            if not head.startswith(_START) or (frame := _first_frame(head)):
                break
    else:
        frame = None
    return head, frame if head.startswith(_START) else None


def _head(data: Bytes, named: Named, size: int) -> bytes:
    head = b""
    for start, end in named.extents:
        wanted = min(end - start, size - len(head))
        piece = bytes(data[start : start + wanted])
        head += piece
        if len(piece) < wanted or len(head) == size:
            break
    return head


def _first_frame(head: bytes) -> _Frame | None:
    with suppress(Damaged):
        for segment in jpeg.segments(head):
            if segment.marker == jpeg.SOS:
                return _Frame((0, 0), is_readable=False)
            content = head[segment.start : segment.end]
            if segment.marker in _FRAMES and len(content) >= 6:
                height, width = (int.from_bytes(content[at : at + 2], "big") for at in (1, 3))
                plain = content[0] == _BITS and content[5] in _COMPONENTS and width > 0 and height > 0
                return _Frame((width, height), segment.marker in _READABLE and plain)
    return None


def _own_orientation(head: bytes) -> int:
    with suppress(Damaged):
        for segment in jpeg.segments(head):
            if segment.marker in _FRAMES:
                break
            block = head[segment.start : segment.end]
            if segment.marker == jpeg.APP1 and block.startswith(tiff.EXIF_MARK) and (value := tiff.orientation(block)):
                return value
    return 0


def _other_codings(head: bytes) -> Iterator[str]:
    return (coding for start, coding in _OTHER_CODINGS if head.startswith(start))
