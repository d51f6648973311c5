"""A form with a file in it, sent while it is read."""

import io
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from gallimg_client.words import as_text

#: What may be uploaded: a path, the bytes, or a file that was opened for reading bytes.
File = str | os.PathLike[str] | bytes | BinaryIO
#: Told how many bytes of the file have been handed to the network, and of how many; None where nobody knows.
Progress = Callable[[int, int | None], object]

_CHUNK_BYTES = 65_536


class Form:
    """A multipart form with the text fields, and last the file in the field `file`. It is never whole in memory.

    Use it as a context manager: it closes what it has opened itself. A file starts where it stands when the form is
    made. After `is_spent` it cannot be sent again, because its file cannot be rewound.
    """

    def __init__(
        self, file: File, *, name: str | None, fields: Mapping[str, object], progress: Progress | None
    ) -> None:
        self._file, self._is_ours = _opened(file)
        self._start = self._file.tell() if self._file.seekable() else None
        self._size_bytes = None if self._start is None else self._file.seek(0, io.SEEK_END) - self._start
        self._progress = progress
        self._was_sent = False
        boundary = secrets.token_hex(16)
        self._before = _head(boundary, fields, name or _name(file)).encode(errors="replace")  # names that are no text
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self.headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        if self._size_bytes is not None:  # else httpx sends it in chunks
            self.headers["Content-Length"] = str(len(self._before) + self._size_bytes + len(self._after))

    @property
    def is_spent(self) -> bool:
        return self._was_sent and self._start is None

    def content(self) -> Iterator[bytes]:
        """Yield the form from its beginning. Raises OSError of the file, ValueError when that has become shorter."""
        self._was_sent = True
        if self._start is not None:
            self._file.seek(self._start)
        yield self._before
        yield from self._pieces()
        yield self._after

    def _pieces(self) -> Iterator[bytes]:
        """As much of the file as was announced: more would be taken for the next request."""
        sent, total = 0, self._size_bytes
        self._tell(sent)
        while piece := self._file.read(_CHUNK_BYTES if total is None else min(_CHUNK_BYTES, total - sent)):
            yield piece
            sent += len(piece)
            self._tell(sent)
        if total is not None and sent < total:
            raise ValueError(f"The file has become shorter while it was read: {sent} of {total} bytes.")

    def _tell(self, sent: int) -> None:
        if self._progress:
            self._progress(sent, self._size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_ours:
            self._file.close()


def _opened(file: File) -> tuple[BinaryIO, bool]:
    """The file, and whether it is to be closed."""
    if isinstance(file, bytes):
        return io.BytesIO(file), True
    if isinstance(file, str | os.PathLike):
        return Path(file).open("rb"), True
    return file, False


def _name(file: File) -> str:
    path = file if isinstance(file, str | os.PathLike) else getattr(file, "name", None)
    return Path(path).name if isinstance(path, str | os.PathLike) else "picture"


def _head(boundary: str, fields: Mapping[str, object], filename: str) -> str:
    parts = [f'name="{_quoted(name)}"\r\n\r\n{as_text(value)}\r\n' for name, value in fields.items()]
    parts.append(f'name="file"; filename="{_quoted(filename)}"\r\nContent-Type: application/octet-stream\r\n\r\n')
    return "".join(f"--{boundary}\r\nContent-Disposition: form-data; {part}" for part in parts)


def _quoted(text: str) -> str:
    """As browsers do (HTML, “multipart/form-data encoding algorithm”)."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
