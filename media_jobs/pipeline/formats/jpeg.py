"""The segments of a JPEG, from its bytes. Stdlib only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from media_jobs.pipeline.formats.common import Bytes, Damaged

SOI, EOI, SOS, DQT, DHT, DRI, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
APP0, APP1, APP2, APP11, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length

_MAX_SEGMENTS = 5_000
#: What ends entropy-coded data: a marker that is neither a stuffed 0xFF nor a restart.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_END = re.compile(rb"\xff\xd9")
#: What decoders read on at, where other bytes stand between segments.
_NEXT = re.compile(rb"\xff[^\x00\xff]")
_MAX_STRAY_BYTES = 65_536
#: So much of the end of a file that looks whole is searched for the end of an earlier picture.
_SEARCHED_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker, the offset of its 0xFF, and the bounds of its payload. Both are the same offset where it has none."""

    marker: int
    at: int
    start: int
    end: int


def segments(data: Bytes, at: int = 0, *, over_stray: bool = False) -> Iterator[Segment]:
    """Every segment of the picture that starts at `at`, from SOI to EOI; entropy-coded data is passed over.

    Looks only as far as it is asked to, so whoever stops at SOS never touches the pixels. Raises Damaged where
    something else than a segment follows, or nothing. over_stray: goes on behind such bytes, as libjpeg does.
    """
    if bytes(data[at : at + 2]) != b"\xff\xd8":
        raise Damaged("no JPEG")
    yield Segment(SOI, at, at + 2, at + 2)
    at += 2
    for _ in range(_MAX_SEGMENTS):
        head = bytes(data[at : at + 4])
        if len(head) < 2 or head[0] != 0xFF:
            at = _behind_stray(data, at, _MAX_STRAY_BYTES if over_stray else 0)
            continue
        marker = head[1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == EOI or marker in _BARE:
            yield Segment(marker, at, at + 2, at + 2)
            if marker == EOI:
                return
            at += 2
            continue
        end = at + 2 + int.from_bytes(head[2:], "big")
        if end < at + 4 or end > len(data):
            raise Damaged("a segment that breaks off")
        yield Segment(marker, at, at + 4, end)
        at = end
        if marker == SOS:
            following = _MARKER.search(data, end)
            if following is None:
                raise Damaged("entropy-coded data without an end")
            at = following.start()
    raise Damaged("too many segments")


def _behind_stray(data: Bytes, at: int, most_bytes: int) -> int:
    following = _NEXT.search(data, at, at + most_bytes)
    if following is None:
        raise Damaged("no marker where one must be")
    return following.start()


def bytes_follow(data: Bytes, pixels: int) -> bool:
    """Whether anything lies behind the end of the picture whose entropy-coded data starts at `pixels`.

    A file that closes with an end of image is searched for an earlier one only in its last quarter of a megabyte:
    finding the end of the picture itself would mean to read it all. A larger JPEG hung on behind is thus missed.
    """
    if bytes(data[-2:]) != b"\xff\xd9":
        return _END.search(data, pixels) is not None  # none: cut short
    last = len(data) - 2
    return bytes(data[max(pixels, last - _SEARCHED_BYTES) : last]).find(b"\xff\xd9") >= 0
