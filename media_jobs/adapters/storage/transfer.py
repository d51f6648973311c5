"""Copies the bytes of an object into a local file, whatever the storage, with a heartbeat meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from media_jobs.adapters.workspace import translate_errors
from media_jobs.ports import Heartbeat

CHUNK_BYTES = 65_536


class Readable(Protocol):
    def read(self, amount: int, /) -> bytes: ...


@contextmanager
def new_file(into: Path) -> Iterator[IO[bytes]]:
    """Open `into` for writing; whatever raises within removes it. Raises WorkspaceUnavailable."""
    try:
        with translate_errors():
            file = into.open("wb", buffering=0)  # a full disk shows at once, not at the end
        with file:
            yield file
    except BaseException:
        with suppress(OSError):
            into.unlink(missing_ok=True)
        raise


def copy(source: Readable, into: IO[bytes], heartbeat: Heartbeat) -> None:
    """Copy all of `source` into the file that `new_file` gave.

    Raises WorkspaceUnavailable, and what `source` and `heartbeat` raise.
    """
    while chunk := source.read(CHUNK_BYTES):
        rest = memoryview(chunk)
        while rest:
            with translate_errors():
                rest = rest[into.write(rest) :]
        heartbeat()
