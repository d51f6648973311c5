"""Bodies that Django would misread, and those that do not come."""

import io
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import UnreadablePostError

from media_jobs.api.shared.wsgi import SMALL_BODY_BYTES, UNKNOWN_LENGTH, StreamedBodies

FORM = b'--b\r\nContent-Disposition: form-data; name="preset"\r\n\r\ngallformers\r\n--b--\r\n'


class Application:
    """Remembers the request; reads what `read` reads."""

    def __init__(self, read: Any = lambda request: None) -> None:
        self.read = read
        self.seen: Any = None
        self.error: Exception | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = WSGIRequest(environ)
        try:
            self.seen = self.read(request)
        except UnreadablePostError as error:
            self.error = error
        return [b"an answer"]


class TooSlow:
    def read(self, *_: int) -> bytes:
        raise TimeoutError

    readline = read


def environ(body: Any, **fields: Any) -> dict[str, Any]:
    given = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "SERVER_NAME": "x", "SERVER_PORT": "80"}
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    return {**given, "wsgi.input": stream, "wsgi.url_scheme": "http", "wsgi.input_terminated": True, **fields}


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}
MULTIPART = {"CONTENT_TYPE": "multipart/form-data; boundary=b"}


def test_a_chunked_form_is_read() -> None:
    application = Application(lambda request: (request.POST["preset"], request.META["CONTENT_LENGTH"]))
    StreamedBodies(application)(environ(FORM, **CHUNKED, **MULTIPART), None)  # type: ignore[arg-type]
    assert application.seen == ("gallformers", str(UNKNOWN_LENGTH))


def test_another_chunked_body_is_read_whole() -> None:
    application = Application(lambda request: request.body)
    StreamedBodies(application)(environ(b'{"a": 1}', **CHUNKED, CONTENT_TYPE="application/json"), None)  # type: ignore[arg-type]
    assert application.seen == b'{"a": 1}'


def test_a_huge_chunked_body_that_is_no_upload_is_not_read() -> None:
    body = io.BytesIO(b"x" * 10_000_000)
    application = Application(lambda request: int(request.META["CONTENT_LENGTH"]))
    StreamedBodies(application)(environ(body, **CHUNKED, CONTENT_TYPE="text/plain"), None)  # type: ignore[arg-type]
    assert application.seen == SMALL_BODY_BYTES + 1
    assert body.tell() <= SMALL_BODY_BYTES + 1


@pytest.mark.parametrize("fields", [{}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": str(len(FORM))}])
def test_a_body_that_is_not_chunked_keeps_its_length(fields: dict[str, str]) -> None:
    application = Application(lambda request: request.META.get("CONTENT_LENGTH"))
    StreamedBodies(application)(environ(FORM, **MULTIPART, **fields), None)  # type: ignore[arg-type]
    assert application.seen == fields.get("CONTENT_LENGTH")


@pytest.mark.parametrize("fields", [CHUNKED | MULTIPART, CHUNKED | {"CONTENT_TYPE": "application/json"}])
def test_a_body_that_the_server_gives_up_breaks_where_it_is_read_and_says_why(fields: dict[str, str]) -> None:
    application = Application(lambda request: request.read(10))
    StreamedBodies(application)(environ(TooSlow(), **fields), None)  # type: ignore[arg-type]
    assert isinstance(application.error, UnreadablePostError)
    assert isinstance(application.error.__cause__, TimeoutError)
