"""Where parts of uploads wait until the storage has them: in memory that all uploads share, else in files."""

import mmap
import os
import tempfile
import threading
from typing import IO

_COPY_BYTES = 262_144


class UploadBuffer:
    """At most `most_bytes` of memory for all parts together; with 0, every part is a file."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._taken_bytes = 0

    @property
    def taken_bytes(self) -> int:
        return self._taken_bytes

    def take(self, size_bytes: int) -> bool:
        """Reserve memory, if so much is left. Whoever got it gives it back, once."""
        with self._lock:
            if self._taken_bytes + size_bytes > self._most_bytes:
                return False
            self._taken_bytes += size_bytes
            return True

    def give_back(self, size_bytes: int) -> None:
        with self._lock:
            self._taken_bytes -= size_bytes


class Part:
    """Bytes that are written once, by one thread, then read as a file as often as it takes. To be closed.

    They grow in memory as long as `buffer` has some left; then they move to an unlinked temporary file.
    most_bytes: more are never written. Raises OSError where the disk does.
    """

    def __init__(self, buffer: UploadBuffer, most_bytes: int) -> None:
        self._buffer, self._most_bytes = buffer, most_bytes
        self._taken_bytes = 0
        self._bytes: mmap.mmap | IO[bytes] | None = None
        self.size_bytes = 0

    def write(self, chunk: bytes | memoryview) -> None:
        self._place(len(chunk)).write(chunk)
        self.size_bytes += len(chunk)

    def read(self, amount: int | None = -1, /) -> bytes:
        if self._bytes is None:
            return b""
        left = self.size_bytes - self._bytes.tell()
        return self._bytes.read(left if amount is None or amount < 0 else min(amount, left))

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        # Not the bytes' own end: memory is as long as it may become.
        position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.size_bytes}[whence]
        if self._bytes is not None:
            self._bytes.seek(position)
        return position

    def tell(self) -> int:
        return 0 if self._bytes is None else self._bytes.tell()

    def close(self) -> None:
        """Forget the bytes and give their memory back. May be repeated."""
        held, self._bytes = self._bytes, None
        try:
            if held is not None:
                held.close()
        finally:
            self._give_back()

    def _place(self, more_bytes: int) -> mmap.mmap | IO[bytes]:
        """What takes that many more."""
        if self._bytes is None or isinstance(self._bytes, mmap.mmap):
            if not self._buffer.take(more_bytes):
                return self._move_to_disk()
            self._taken_bytes += more_bytes
        if self._bytes is None:
            self._bytes = _memory(self._most_bytes)
        return self._bytes

    def _move_to_disk(self) -> IO[bytes]:
        # Buffered: an unbuffered write may take less than it was given.
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        memory, self._bytes = self._bytes, file
        if isinstance(memory, mmap.mmap):
            with memory:
                for start in range(0, self.size_bytes, _COPY_BYTES):
                    file.write(memory[start : min(start + _COPY_BYTES, self.size_bytes)])
        self._give_back()
        return file

    def _give_back(self) -> None:
        taken_bytes, self._taken_bytes = self._taken_bytes, 0
        self._buffer.give_back(taken_bytes)


def _memory(most_bytes: int) -> mmap.mmap:
    """Takes pages as they are written, and the system has them back at once, which a heap does not promise."""
    memory = mmap.mmap(-1, most_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):  # or a few bytes may take 2 MB
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory
