"""What the readers of all formats share: the bytes of a file, and the error for a structure that is damaged."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Bytes = bytes | mmap.mmap


class Damaged(ValueError):
    """The bytes are not the structure that they should be, or one of absurd size, or it points outside of them."""


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file that is not empty, read from the disk only where they are looked at."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data
