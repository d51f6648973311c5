"""A receiver of webhooks, as somebody else would write one: a real HTTP server that checks signatures."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.servers import free_ports


@dataclass(frozen=True, slots=True)
class Message:
    """What was received."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def verified(self, secret: str) -> dict[str, Any]:
        """The content, if it is signed with `secret`. Raises WebhookVerificationError."""
        return dict(Webhook(secret).verify(self.body, dict(self.headers)))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Receiver:
    """Listens on `url` while it is `up`; after that nobody does, as when a consumer is away.

    answer: called with each message.
    """

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self.messages: list[Message] = []
        self.answer: Callable[[Message], Answer] = lambda _: Answer()
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @contextmanager
    def up(self) -> Iterator["Receiver"]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = Message({name.lower(): value for name, value in self.headers.items()}, body)
                with receiver._changed:
                    receiver.messages.append(message)
                    receiver._changed.notify_all()
                answer = receiver.answer(message)
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                """The test tells what went wrong."""

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A sender may have hung up."""

        with Server(("127.0.0.1", self.port), Handler) as server:
            serving = threading.Thread(target=server.serve_forever, args=(0.02,))
            serving.start()
            try:
                yield self
            finally:
                server.shutdown()
                serving.join()

    def wait_for(self, count: int, limit_s: float = 60) -> list[Message]:
        """The messages, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= count, limit_s), self.messages
            return list(self.messages)
