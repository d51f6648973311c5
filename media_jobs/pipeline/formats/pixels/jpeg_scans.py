"""What can be said of a JPEG's coded data without decoding it, for whoever looks into damage. Stdlib only."""

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from media_jobs.pipeline.formats import jpeg
from media_jobs.pipeline.formats.common import Bytes, Damaged

_HUFFMAN_SEQUENTIAL = frozenset({0xC0, 0xC1})
_FRAME = 0xC1
_WHOLE_SPECTRUM = b"\0\x3f\0"
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_LARGEST_SIDE_PX = 65_500  #: that decoders take


@dataclass(frozen=True, slots=True)
class Scan:
    """The coded data of a picture in one sequential scan, cut at its restart markers.

    tables: what the data are decoded by. frame, scan: the payloads of these segments. unit_px: width and height of
    what is coded together. units: how many of those a line of the picture has, a piece, and the last piece.
    pieces: start and end of each in the file. in_order: whether all restart markers are there, and those only.
    """

    tables: bytes
    frame: bytes
    scan: bytes
    unit_px: tuple[int, int]
    line_units: int
    piece_units: int
    last_units: int
    restarts: bool
    pieces: tuple[tuple[int, int], ...]
    in_order: bool

    def alone(self, data: Bytes, first: int, count: int) -> bytes | None:
        """Some pieces as a JPEG of their own, the first of them once more at the end; None where it had no valid size.

        Decoders pass over what is left at the very end of a picture, and mention it before a restart marker.
        """
        units = self.last_units if first + count == len(self.pieces) and count == 1 else self.piece_units
        columns = units if units * self.unit_px[0] <= _LARGEST_SIDE_PX else self.line_units
        rows, odd = divmod(units, columns)
        size_px = columns * self.unit_px[0], rows * (count + 1) * self.unit_px[1]
        if odd or max(size_px) > _LARGEST_SIDE_PX:
            return None
        pieces = [bytes(data[start:end]) for start, end in self.pieces[first : first + count]]
        coded = b"".join(piece + bytes([0xFF, 0xD0 + at % 8]) for at, piece in enumerate(pieces)) + pieces[0]
        frame = self.frame[:1] + struct.pack(">HH", size_px[1], size_px[0]) + self.frame[5:]
        return self._file(frame, coded, struct.pack(">H", units))

    def whole(self, data: Bytes) -> bytes:
        """The picture without anything that is not needed to decode it."""
        return self._file(self.frame, bytes(data[self.pieces[0][0] : self.pieces[-1][1]]))

    def _file(self, frame: bytes, coded: bytes, interval: bytes = b"") -> bytes:
        restarts = _segment(jpeg.DRI, interval) if interval else b""
        head = b"\xff\xd8" + self.tables + _segment(_FRAME, frame) + restarts + _segment(jpeg.SOS, self.scan)
        return head + coded + b"\xff\xd9"


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(payload)) + payload


def scan(data: Bytes) -> Scan | None:
    """The picture's only scan; None where there are several, or it is not of the plain kind."""
    payloads: dict[int, bytes] = {}
    tables, coded = b"", (0, 0)
    for segment, following in _segments(data):
        content = bytes(data[segment.start : segment.end])
        if segment.marker in (jpeg.DQT, jpeg.DHT):
            tables += _segment(segment.marker, content)
        elif segment.marker == jpeg.SOS and jpeg.SOS in payloads:
            return None
        elif segment.marker == jpeg.SOS:
            coded = segment.end, following
        payloads[_FRAME if segment.marker in _HUFFMAN_SEQUENTIAL else segment.marker] = content
    frame, header = payloads.get(_FRAME, b""), payloads.get(jpeg.SOS, b"")
    if len(frame) < 9 or len(frame) < 6 + 3 * frame[5] or header[:1] != frame[5:6] or len(header) < 1 + 2 * frame[5]:
        return None
    interval = int.from_bytes(payloads.get(jpeg.DRI, b""), "big")
    return _Layout(frame, interval).cut(data, tables, header, coded)


class _Layout:
    """How many units, the blocks that are coded together, lie where; `interval`: so many to a piece, or 0."""

    def __init__(self, frame: bytes, interval: int) -> None:
        self.frame, self.interval = frame, interval
        self.height, self.width, components = struct.unpack_from(">HHB", frame, 1)
        factors = frame[7 : 6 + 3 * components : 3]
        across, down = (max(factor >> shift & 15 for factor in factors) for shift in (4, 0))
        self.unit_px = (8 * across, 8 * down) if components > 1 else (8, 8)

    def cut(self, data: Bytes, tables: bytes, header: bytes, coded: tuple[int, int]) -> Scan | None:
        if 0 in (self.height, self.width, *self.unit_px):
            return None
        line_units = -(-self.width // self.unit_px[0])
        units = line_units * -(-self.height // self.unit_px[1])
        marks = [(coded[0] + mark.start(), mark[1][0] & 7) for mark in _RESTART.finditer(bytes(data[slice(*coded)]))]
        starts = (coded[0], *(at + 2 for at, _ in marks))
        ends = (*(at for at, _ in marks), coded[1])
        wanted = -(-units // self.interval) if self.interval else 1
        return Scan(
            tables=tables,
            frame=self.frame,
            scan=header[: 1 + 2 * header[0]] + _WHOLE_SPECTRUM,
            unit_px=self.unit_px,
            line_units=line_units,
            piece_units=min(self.interval or units, units),
            last_units=units - (wanted - 1) * self.interval,
            restarts=bool(self.interval),
            pieces=tuple(zip(starts, ends, strict=True)),
            in_order=[number for _, number in marks] == [number % 8 for number in range(wanted - 1)],
        )


def _segments(data: Bytes) -> Iterator[tuple[jpeg.Segment, int]]:
    """All segments up to the first damage, each with the place of the one that follows."""
    with suppress(Damaged):
        yield from ((segment, following.at) for segment, following in pairwise(jpeg.segments(data)))
