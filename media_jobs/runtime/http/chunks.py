"""Where a chunked body ends, told from what has arrived of it. gunicorn's parser judges it later."""

import re

#: gunicorn's own limit of a line with a size.
_LINE_BYTES = 8190
#: A body in more pieces is not followed to its end: that would take the event loop's time.
_MOST_CHUNKS = 20_000
_SIZE = re.compile(rb"([0-9A-Fa-f]+)(?:[ \t]*;.*)?", re.DOTALL)


class ChunkedBody:
    """Follows a body from the byte at `start`, and goes on each time where it was.

    A body that is malformed ends where that shows: gunicorn refuses it there.
    """

    def __init__(self, start: int) -> None:
        self._at = start  # a line with a size, or the first trailer
        self._chunks = 0
        self._has_last_chunk = self._is_over = False

    def is_over(self, arrived: bytes | bytearray) -> bool:
        while not self._is_over and self._chunks < _MOST_CHUNKS and self._step(arrived):
            pass
        return self._is_over

    def _step(self, arrived: bytes | bytearray) -> bool:
        """Go on by one chunk, or to the end. False where more has to arrive."""
        if self._has_last_chunk:
            self._is_over = self._has_trailers(arrived)
            return self._is_over
        line_end = arrived.find(b"\r\n", self._at, self._at + _LINE_BYTES + 2)
        if line_end < 0:
            self._is_over = len(arrived) - self._at > _LINE_BYTES
            return self._is_over
        size = _SIZE.fullmatch(arrived, self._at, line_end)
        size_bytes = int(size[1], 16) if size else -1
        if size_bytes > 0:
            return self._pass_by(arrived, line_end + 2 + size_bytes)
        self._at, self._has_last_chunk, self._is_over = line_end + 2, size_bytes == 0, size_bytes < 0
        return True

    def _pass_by(self, arrived: bytes | bytearray, chunk_end: int) -> bool:
        if len(arrived) < chunk_end + 2:
            return False
        self._chunks += 1
        self._at = chunk_end + 2
        self._is_over = arrived[chunk_end : self._at] != b"\r\n"
        return True

    def _has_trailers(self, arrived: bytes | bytearray) -> bool:
        if arrived.startswith(b"\r\n", self._at) or arrived.find(b"\r\n\r\n", self._at) >= 0:
            return True
        return arrived.count(b"\n", self._at) != arrived.count(b"\r\n", self._at)
