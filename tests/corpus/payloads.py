"""Bytes that lie behind a picture's end, where cameras keep second pictures and others hide programs."""

from collections.abc import Iterator

_WINDOW_BYTES = 16
#: Fewer different bytes are padding, which any file may hold.
_LEAST_DISTINCT = 10
_RESTART_MARKERS = range(0xD0, 0xD8)


def windows(data: bytes) -> list[bytes]:
    """Some bytes of what follows the picture in `data`, none of a kind that an encoder would write by itself."""
    payload = data[_end(data) :]
    places = (len(payload) * quarter // 4 for quarter in (1, 2, 3))
    found = (payload[at : at + _WINDOW_BYTES] for at in places)
    return [window for window in found if len(window) == _WINDOW_BYTES and len(set(window)) >= _LEAST_DISTINCT]


def _end(data: bytes) -> int:
    """The offset at which the picture ends; the end of `data` where that is unknown."""
    if data.startswith(b"\xff\xd8"):
        return next((end for end, marker in _jpeg_segments(data) if marker == 0xD9), len(data))
    if data.startswith(b"\x89PNG"):
        return next((end for end, kind in _png_chunks(data) if kind == b"IEND"), len(data))
    if data[:4] == b"RIFF":
        return 8 + int.from_bytes(data[4:8], "little")
    return len(data)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """End and marker of each segment; a scan's ends with its entropy-coded data."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        at += 2 if marker == 0xD9 else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            at = _scan_end(data, at)
        yield at, marker


def _scan_end(data: bytes, at: int) -> int:
    while 0 <= (at := data.find(b"\xff", at)) < len(data) - 1:
        if data[at + 1] not in (0x00, *_RESTART_MARKERS):
            return at
        at += 2
    return len(data)


def _png_chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        yield at, kind
