"""A proxy in front of an S3 server that does to chosen calls what networks, servers and clocks do.

It knows which operation a request asks for and under which key, and forwards all others byte for byte: the signature
covers the Host header as the client sent it.
"""

import contextlib
import select
import socket
import threading
from collections import Counter
from email.utils import formatdate
from typing import BinaryIO, cast

from tests.faults.injections import REFUSALS, Fault, Injection
from tests.faults.messages import Answer, Operation, Request
from tests.servers.relay import Relay, connector, reset

#: How long a client may take to begin with the body that it asked permission for.
_PERMISSION_S = 2.0
#: No client waits so long.
_STALL_LIMIT_S = 60.0


class FaultyProxy(Relay):
    """A proxy in front of the server at `endpoint_url`. calls: how many of each operation came by, spoiled or not."""

    def __init__(self, endpoint_url: str) -> None:
        self.calls: Counter[Operation] = Counter()
        self._injections: list[Injection] = []
        self._injecting = threading.Lock()
        super().__init__(connector(endpoint_url))
        #: What to give to clients.
        self.endpoint_url = f"http://127.0.0.1:{self.port}"

    def inject(self, injection: Injection) -> Injection:
        with self._injecting:
            self._injections.append(injection)
        return injection

    def heal(self) -> None:
        """Spoil nothing from now on; who waits for an answer, waits in vain."""
        with self._injecting:
            self._injections.clear()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Request after request, until an end of the connection closes or a fault ends it."""
        with contextlib.suppress(OSError, _Over), _Connection(client, server) as connection:
            while request := connection.next_request():
                connection.serve(request, self._fault_of(request))

    def _fault_of(self, request: Request) -> Fault | None:
        with self._injecting:
            self.calls[request.operation] += 1
            return next((injection.fault for injection in self._injections if injection.takes(request)), None)


class _Over(Exception):
    """The connection ends here."""


class _End:
    """One side of a connection."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connected
        self.stream = cast(BinaryIO, connected.makefile("rb"))

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def close(self) -> None:
        """Close in order: what was sent arrives."""
        self.stream.close()
        self.socket.close()

    def reset(self) -> None:
        """Close at once, so that the other side knows that it was no orderly end."""
        self.stream.close()
        reset(self.socket)


class _Connection:
    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = _End(client), _End(server)

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()
        self._server.close()

    def next_request(self) -> Request | None:
        """Whole, unless its body waits for a permission or tells what it is."""
        request = Request.head_from(self._client.stream)
        if request and request.operation is Operation.POST_OBJECT:
            self._permit(request)
        return request

    def serve(self, request: Request, fault: Fault | None) -> None:
        """Raises _Over, and OSError where an end went away."""
        if fault in REFUSALS:
            self._refuse(request, fault)
        elif fault is Fault.RESET:
            self._reset()
        elif fault is Fault.STALL:
            self._permit(request)
            self._stall()
        else:
            self._forward(request, fault)

    def _forward(self, request: Request, fault: Fault | None) -> None:
        self._server.send(request.head)
        answer = self._early_answer(request)
        if answer is None:
            if not request.body:
                request.read_body(self._client.stream)
            if fault is Fault.CUT_REQUEST:
                self._server.send(request.body[: len(request.body) // 2])
                self._server.reset()
                self._reset()
            self._server.send(_damaged(request.body) if fault is Fault.DAMAGED_REQUEST else request.body)
            answer = self._answer()
        answer.read_body_for(request, self._server.stream)
        if fault is Fault.LOST:
            self._reset()
        if fault in (Fault.CUT_ANSWER, Fault.HALF_ANSWER):
            self._client.send(answer.head + answer.body[: len(answer.body) // 2])
            if fault is Fault.HALF_ANSWER:
                self._stall()
            raise _Over
        self._client.send(answer.head + (_damaged(answer.body) if fault is Fault.DAMAGED_ANSWER else answer.body))
        if answer.header("Connection").lower() == "close":
            raise _Over

    def _early_answer(self, request: Request) -> Answer | None:
        """Return the server's answer to the head alone, where the client waits for that; None: the body may come."""
        if not request.waits_for_permission or request.body:
            return None
        ready, _, _ = select.select([self._server.socket, self._client.socket], [], [], _PERMISSION_S)
        if self._server.socket not in ready:
            return None
        answer = Answer.head_from(self._server.stream)
        if answer is None:
            raise _Over
        if answer.is_interim:
            self._client.send(answer.head)
            return None
        return answer

    def _answer(self) -> Answer:
        while answer := Answer.head_from(self._server.stream):
            if not answer.is_interim:
                return answer
        raise _Over

    def _refuse(self, request: Request, fault: Fault) -> None:
        status, code, sentence = REFUSALS[fault]
        if not request.waits_for_permission:
            request.read_body(self._client.stream)
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{sentence}</Message>'
            f"<Resource>/{request.key}</Resource><RequestId>0</RequestId></Error>"
        ).encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
            f"Date: {formatdate(usegmt=True)}\r\nConnection: close\r\n\r\n"
        )
        self._client.send(head.encode() + (b"" if request.method == "HEAD" else body))
        raise _Over

    def _permit(self, request: Request) -> None:
        """Take the body without asking the server."""
        if request.waits_for_permission:
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.read_body(self._client.stream)

    def _stall(self) -> None:
        """Wait until the client closes."""
        self._client.socket.settimeout(_STALL_LIMIT_S)
        self._client.stream.read(1)
        raise _Over

    def _reset(self) -> None:
        self._client.reset()
        raise _Over


def _damaged(content: bytes) -> bytes:
    if not content:
        return content
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
