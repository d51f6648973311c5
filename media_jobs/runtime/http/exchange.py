"""One request and its answer on a connection, in a thread of the pool."""

import os
from typing import Any

from gunicorn.http.wsgi import FileWrapper, create

from media_jobs.runtime.http.answer import Answer
from media_jobs.runtime.http.bodies import CONTINUE, RequestBody
from media_jobs.runtime.http.paced_socket import FilePart, PacedSocket


class Exchange:
    """environ: what the application gets. The connection is closed afterwards unless the body has been read by then."""

    def __init__(self, request: Any, connection: Any, cfg: Any) -> None:
        self._sock: PacedSocket = connection.sock
        waits_for_word = request._expected_100_continue
        request._expected_100_continue = False  # gunicorn would say it before anybody has looked at the request
        _, self.environ = create(request, self._sock, connection.client, connection.server, cfg)
        self.answer = Answer(request, self._sock, cfg)
        self._body = RequestBody(request.body, self._invite if waits_for_word else None)
        self.environ |= {"wsgi.input": self._body, "wsgi.multithread": True}

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if not self._body.is_over():
            self.answer.force_close()
        return self.answer.start_response(status, headers, exc_info)

    def send(self, made: Any) -> None:
        """Send what the application has made, as far as the client takes it at once; of HEAD what is said of it."""
        part = _file_part(made, self.answer)
        if part:
            self.answer.send_head()
            self._sock.send_part(part)
        elif not self.answer._omits_body:
            for item in made:
                self.answer.write(item)
        self.answer.close()

    def _invite(self) -> None:
        self._sock.sendall(CONTINUE)


def _file_part(made: Any, answer: Answer) -> FilePart | None:
    """What an answer is that stands in an open file and tells its length; None for all others."""
    if not isinstance(made, FileWrapper) or answer._omits_body or answer.response_length is None:
        return None
    try:
        descriptor = made.filelike.fileno()
        offset = os.lseek(descriptor, 0, os.SEEK_CUR)
        return FilePart(os.dup(descriptor), offset, answer.response_length)
    except (AttributeError, OSError):  # no file
        return None
