"""An answer on a connection, its head together with what comes first of its body."""

from typing import Any

from gunicorn.http.wsgi import Response

#: Longer bodies are not copied to follow their head.
_JOINED_BYTES = 65_536


class Answer(Response):  # type: ignore[misc]
    """gunicorn's, which sends the head by itself.

    Who still sends an upload and sees the head of a refusal may stop there, and so does HAProxy 2.6 with HTTP/2 then:
    the body, which says why, is lost on its way.
    """

    headers_sent: bool

    def __init__(self, request: Any, sock: Any, cfg: Any) -> None:
        super().__init__(request, sock, cfg)
        self._head = b""

    def send_headers(self) -> None:
        """Have the head ready, for what comes next."""
        if not self.headers_sent:
            lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def send_head(self) -> None:
        """Send the head where nothing has gone out yet."""
        self.send_headers()
        head, self._head = self._head, b""
        if head:
            self.sock.sendall(head)

    def close(self) -> None:
        self.send_head()
        super().close()

    def _emit_body(self, data: bytes) -> None:
        if len(data) > _JOINED_BYTES:
            self.send_head()
        framed = b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data
        head, self._head = self._head, b""
        self.sock.sendall(head + framed)
