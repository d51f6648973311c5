"""A proxy in front of PostgreSQL that cuts a connection at a chosen statement: before the server has it, or once the
server has executed it and before its client knows."""

import re
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from tests.servers.relay import PIECE_BYTES, Relay, connector

_SSL_REQUEST, _GSS_REQUEST = 80_877_103, 80_877_104


class Moment(StrEnum):
    BEFORE = "before"  #: the server never sees the statement
    AFTER = "after"  #: the server has executed it, and its answer is lost


@dataclass(eq=False)
class Cut:
    """Cuts the first connection on which a message matches `where` (and later one matches `then`), once.

    done: set when that has happened.
    """

    moment: Moment
    where: re.Pattern[bytes]
    then: re.Pattern[bytes] | None = None
    done: threading.Event = field(default_factory=threading.Event)


class CuttingProxy(Relay):
    """Run a proxy in front of the server of `database_url`."""

    def __init__(self, database_url: str) -> None:
        self._cutting = threading.Lock()
        self._cuts: list[Cut] = []
        super().__init__(connector(database_url))
        parts = urlsplit(database_url)
        user = f"{parts.username}@" if parts.username else ""
        #: What to give to clients.
        self.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self.port}"))

    def cut(self, moment: Moment, where: str, *, then: str = "") -> Cut:
        """Cut one connection, soon: the next at a statement that matches `where`.

        With `then`, at the next statement after it on the same connection that matches that.
        """
        patterns = [re.compile(text.encode(), re.DOTALL) if text else None for text in (where, then)]
        assert patterns[0]
        made = Cut(moment, patterns[0], patterns[1])
        with self._cutting:
            self._cuts.append(made)
        return made

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Pass messages on until an end of the connection closes or it is cut: both ends are reset then."""
        messages, waiting_for = _Messages(), None
        after_where: set[Cut] = set()
        with selectors.DefaultSelector() as ready:
            for end in (client, server):
                ready.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    came = key.fileobj.recv(PIECE_BYTES)  # type: ignore[union-attr]
                    if not came:
                        raise ConnectionResetError
                    if key.fileobj is client:
                        for message in messages.of(came):
                            cut = self._due(message, after_where)
                            if cut and cut.moment is Moment.BEFORE:
                                cut.done.set()
                                raise ConnectionResetError
                            waiting_for = cut
                            server.sendall(message)
                    elif waiting_for:
                        waiting_for.done.set()
                        raise ConnectionResetError
                    else:
                        client.sendall(came)

    def _due(self, message: bytes, after_where: set[Cut]) -> Cut | None:
        """The cut that this message asks for; it is nobody else's from then on.

        after_where: of this connection, the cuts that have seen their `where` and wait for their `then`.
        """
        with self._cutting:
            for cut in self._cuts:
                now = cut.then if cut in after_where else cut.where
                if not now or not now.search(message):
                    continue
                if cut.then and cut not in after_where:
                    after_where.add(cut)
                    continue
                self._cuts.remove(cut)
                return cut
        return None


class _Messages:
    """A client's bytes, taken apart into the messages of PostgreSQL's protocol."""

    def __init__(self) -> None:
        self._left = b""
        self._started = False

    def of(self, came: bytes) -> Iterator[bytes]:
        """The messages that are whole with these bytes."""
        self._left += came
        while True:
            head = 1 if self._started else 0  # only from then on a letter says what a message is
            if len(self._left) < head + 4:
                return
            size = head + int(struct.unpack_from("!I", self._left, head)[0])
            if len(self._left) < size:
                return
            message, self._left = self._left[:size], self._left[size:]
            if not self._started:
                self._started = struct.unpack_from("!I", message, 4)[0] not in (_SSL_REQUEST, _GSS_REQUEST)
            yield message
