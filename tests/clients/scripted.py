"""A real HTTP server that answers what a test has written down: faults that no healthy service makes."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer. body: what is not text is sent as JSON. broken: the connection ends without it."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    broken: bool = False


BROKEN = Answer(broken=True)


@dataclass(frozen=True)
class Asked:
    """One request, as it has arrived."""

    method: str
    path: str
    headers: Message
    body: bytes


class Script:
    """The answers in their order, and what was asked so far."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.left, self.asked = list(answers), list[Asked]()
        self.url = ""


@contextmanager
def scripted(*answers: Answer) -> Iterator[Script]:
    """A server that gives these answers, one per request."""
    script = Script(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self._body()
            script.asked.append(Asked(self.command, self.path, self.headers, body))
            answer = script.left.pop(0)
            if answer.broken:
                self.close_connection = True
                return
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815  (the standard library's names)

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = b""
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found

        def log_message(self, *_: Any) -> None:
            """The test tells what went wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


def problem(status: int, code: str, **headers: str) -> Answer:
    """A problem document, as the service sends it; headers with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"type": f"/docs/problems/{code}", "status": status, "code": code, "detail": f"This is {code}."}
    return Answer(status, body, {"Content-Type": "application/problem+json", **named})


def accepted(number: int = 1) -> Answer:
    return Answer(202, {"jobId": f"job-{number}", "imageId": f"image-{number}", "estimatedTime": 100})


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"jobId": "job-1", "imageId": "image-1", "status": status, "derivatives": [], **more}
