"""WSGI middleware for chunked bodies."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Stands for "unknown" where Django wants to know the length of a chunked upload.
UNKNOWN_LENGTH = 2**62
#: The most that a chunked body which is not an upload may have. Forms and JSON are small.
SMALL_BODY_BYTES = 65_536


class StreamedBodies:
    """WSGI middleware that makes chunked bodies readable.

    Django takes a missing CONTENT_LENGTH for an empty body. A chunked multipart body gets UNKNOWN_LENGTH, and its
    end from the server; any other chunked body is small, and its length is found by reading it. One that is larger
    than SMALL_BODY_BYTES is announced as it is found, too large for DATA_UPLOAD_MAX_MEMORY_SIZE.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if _is_chunked(environ):
            _give_length(environ)
        return self.application(environ, start_response)


class BrokenBody:
    """A body that could not be read: whoever reads it meets the error that did it."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def read(self, *_: int) -> NoReturn:
        raise self._error

    readline = read


def _is_chunked(environ: "WSGIEnvironment") -> bool:
    coding = environ.get("HTTP_TRANSFER_ENCODING", "").rpartition(",")[2].strip().lower()
    return coding == "chunked" and bool(environ.get("wsgi.input_terminated")) and not environ.get("CONTENT_LENGTH")


def _give_length(environ: "WSGIEnvironment") -> None:
    if environ.get("CONTENT_TYPE", "").lower().startswith("multipart/"):
        environ["CONTENT_LENGTH"] = str(UNKNOWN_LENGTH)
        return
    try:
        body = environ["wsgi.input"].read(SMALL_BODY_BYTES + 1)
    except OSError as error:
        environ["CONTENT_LENGTH"], environ["wsgi.input"] = "1", BrokenBody(error)
    else:
        environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(body)), io.BytesIO(body)
