"""Both ends of a connection, without a network."""

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

from media_jobs.runtime.http.paced_socket import PacedSocket

LIMIT_S = 60.0


def pair(stack: ExitStack, kind: int = socket.SOCK_STREAM) -> tuple[PacedSocket, socket.socket]:
    """The server's end and the client's. kind: SOCK_SEQPACKET has the client get what is sent together, together."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    theirs.settimeout(LIMIT_S)
    served = PacedSocket.of(ours)
    stack.callback(served.close)
    stack.callback(theirs.close)
    return served, theirs


def tcp_pair(stack: ExitStack) -> tuple[PacedSocket, socket.socket]:
    """The same over loopback: what is closed too early there is reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname(), LIMIT_S)
        ours, _ = listener.accept()
    served = PacedSocket.of(ours)
    stack.callback(served.close)
    stack.callback(theirs.close)
    return served, theirs


def until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def until_the_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))
