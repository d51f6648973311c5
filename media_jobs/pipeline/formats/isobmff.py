"""Reads ISO base media boxes, defensively: whatever the bytes say, an answer or `Damaged`, soon.

Stdlib only. HEIC and AVIF are made of them (see `heif_items`), and CR3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from media_jobs.pipeline.formats.common import Bytes, Damaged

_MAX_BOXES = 10_000


@dataclass(frozen=True, slots=True)
class Box:
    """A box's four letters and where its content lies, header excluded. A `uuid` box's content starts with its UUID."""

    kind: str
    start: int
    end: int


def boxes(data: Bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes from `start` to `end`, one level deep. Raises Damaged at one that reaches beyond, or too many."""
    end = len(data) if end is None else min(end, len(data))
    for _ in range(_MAX_BOXES):
        if end - start < 8:
            return
        size, content = int.from_bytes(data[start : start + 4], "big"), start + 8
        if size == 1:
            size, content = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
        stop = start + size if size else end
        if not content <= stop <= end:
            raise Damaged("a box that reaches beyond its parent")
        yield Box(bytes(data[start + 4 : start + 8]).decode("latin-1"), content, stop)
        start = stop
    raise Damaged("too many boxes")


def find(data: Bytes, *path: str, start: int = 0, end: int | None = None) -> Box | None:
    """The first box at `path`, such as ("moov", "trak"). Raises Damaged."""
    kind, *rest = path
    box = next((box for box in boxes(data, start, end) if box.kind == kind), None)
    return find(data, *rest, start=box.start, end=box.end) if box and rest else box
