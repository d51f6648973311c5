"""Events of jobs as they happen, over as many connections as it takes."""

import json
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Self, cast

from gallimg_client import sse
from gallimg_client.calls import Calls
from gallimg_client.errors import ProblemError, Unreachable
from gallimg_client.retries import Retries
from gallimg_client.words import Event

_PATH = "/v1/events"
#: The service sends something every 15 seconds.
_SILENT_S = 45.0
#: Unless the service says when to connect again.
_AGAIN_S = 2.0


class Events(Iterator[Event]):
    """Iterating blocks until the next event, for ever; close it, or use it as a context manager, to leave.

    When the connection breaks, or the server ends it, the next one goes on behind `last_id`: no event is missed, and
    none comes twice. Raises Unreachable and ProblemError: at once for what will not pass, else after as many failed
    connections in a row as `retries` allow.
    """

    def __init__(self, calls: Calls, jobs: Sequence[str], *, last_id: str = "", retries: Retries | None = None) -> None:
        self.last_id = last_id  #: of the latest message; another reader goes on from there
        self._calls, self._jobs, self._retries = calls, list(jobs), retries or calls.retries
        self._messages = self._received()

    def __next__(self) -> Event:
        while True:
            event = next(self._messages)
            if event is not None:
                return event

    def with_heartbeats(self) -> Iterator[Event | None]:
        """Yield events, and None for each sign of life: the first message of a connection, and every 15 seconds."""
        return self._messages

    def close(self) -> None:
        self._messages.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _received(self) -> Generator[Event | None, None, None]:
        failed = 0
        while True:
            pause_s = _AGAIN_S
            try:
                for message in self._connection():
                    failed, self.last_id = 0, message.id or self.last_id
                    pause_s = _AGAIN_S if message.retry_s is None else message.retry_s
                    yield cast(Event, json.loads(message.data)) if message.name == "message" else None
            except (ProblemError, Unreachable) as error:
                failed += 1
                again_s = self._retries.pause_s(failed, error)
                if again_s is None:
                    raise
                pause_s = again_s
            time.sleep(pause_s)

    def _connection(self) -> Iterator[sse.Message]:
        """Yield the messages of one connection, until the server ends it. Raises ProblemError, Unreachable."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        is_silent = True
        with self._calls.stream(_PATH, params={"job": self._jobs}, headers=headers, read_s=_SILENT_S) as response:
            for message in sse.messages(response.iter_bytes()):
                is_silent = False
                yield message
        if is_silent:
            raise Unreachable(f"GET {_PATH}: the stream ended before its first message.")
