"""A request's body as the application reads it."""

import errno
from collections.abc import Callable, Iterator
from typing import Any

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class RequestBody:
    """gunicorn's body, whose faults are OSErrors, as readers expect of a stream.

    invite: is called before the first byte is read; a client that waits for that has sent nothing yet.
    """

    def __init__(self, body: Body, invite: Callable[[], None] | None = None) -> None:
        self._body, self._invite = body, invite

    def read(self, *size: int) -> bytes:
        return self._checked(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._checked(self._body.readline, *size)

    def readlines(self, *_hint: int) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def is_over(self) -> bool:
        """Whether the connection stands at the end of the body, or what is left of it has arrived already."""
        if self._body.failed or self._invite:
            return False
        reader = self._body.reader
        if isinstance(reader, LengthReader):
            arrived: int = reader.unreader.buf.getbuffer().nbytes
            return bool(reader.length <= arrived)
        return reader.parser is None

    def _checked(self, read: Callable[..., bytes], *size: int) -> bytes:
        invite, self._invite = self._invite, None
        if invite:
            invite()
        try:
            return read(*size)
        except ParseException as error:
            raise OSError(errno.EBADMSG, f"malformed body: {error}") from error


def is_used_up(parser: Any) -> bool:
    """Whether the next request can be read from the connection; what has arrived of the last body is read over."""
    try:
        return bool(parser.finish_body())
    except OSError:  # there is more of it, still to come
        return False
    except ParseException:
        return False
