"""WSGI middleware for uploads that stream: chunked bodies and clients that stall."""

import errno
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Stands for "unknown" where Django wants to know the length of a chunked upload.
UNKNOWN_LENGTH = 2**62
#: The most that a chunked body which is not an upload may have. Forms and JSON are small.
SMALL_BODY_BYTES = 65_536
#: A client that neither sends nor takes a byte for so long gives its thread back.
STALL_S = 30.0


class StreamedBodies:
    """WSGI middleware that makes chunked bodies readable and stalled clients harmless.

    Django takes a missing CONTENT_LENGTH for an empty body. A chunked multipart body gets UNKNOWN_LENGTH, and its
    end from the server; any other chunked body is small, and its length is found by reading it. One that is larger
    than SMALL_BODY_BYTES is announced as it is found, too large for DATA_UPLOAD_MAX_MEMORY_SIZE.
    """

    def __init__(self, application: "WSGIApplication", *, stall_s: float = STALL_S) -> None:
        self.application = application
        self.stall_s = stall_s

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        connection = environ.get("gunicorn.socket")
        if connection is not None:
            # gunicorn makes the socket blocking again before it reads the next request from it.
            connection.settimeout(self.stall_s)
        environ["wsgi.input"] = body = StallAwareBody(environ["wsgi.input"])
        if _is_chunked(environ):
            _give_length(environ)
        answer = self.application(environ, start_response)
        if body.stalled:
            if hasattr(answer, "close"):
                answer.close()
            # The server drops a connection that was reset without a word; nobody waits for the answer.
            raise ConnectionResetError(errno.ECONNRESET, "the client stalled")
        return answer


class StallAwareBody:
    """A request body in which a client that stalls looks like one that went away."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.stalled = False

    def read(self, *size: int) -> bytes:
        return self._or_reset(self._stream.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._or_reset(self._stream.readline, *size)

    def readlines(self, *hint: int) -> list[bytes]:
        return list(iter(self))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _or_reset(self, read: Any, *size: int) -> bytes:
        try:
            data: bytes = read(*size)
        except TimeoutError as error:
            self.stalled = True
            raise ConnectionResetError(errno.ECONNRESET, "the client stalled") from error
        return data


def _is_chunked(environ: "WSGIEnvironment") -> bool:
    coding = environ.get("HTTP_TRANSFER_ENCODING", "").rpartition(",")[2].strip().lower()
    return coding == "chunked" and bool(environ.get("wsgi.input_terminated")) and not environ.get("CONTENT_LENGTH")


def _give_length(environ: "WSGIEnvironment") -> None:
    if environ.get("CONTENT_TYPE", "").lower().startswith("multipart/"):
        environ["CONTENT_LENGTH"] = str(UNKNOWN_LENGTH)
        return
    body = environ["wsgi.input"].read(SMALL_BODY_BYTES + 1)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
