"""A waiting room with its listener, in which the test stands in for the server that keeps the connections."""

import json
import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from media_jobs.callers import ANONYMOUS, Caller
from media_jobs.event_log import EventCursor
from media_jobs.models import Job
from media_jobs.services.jobs import transitions
from media_jobs.services.waiting.listener import Listener
from media_jobs.services.waiting.room import WaitingRoom
from media_jobs.services.waiting.waits import Finished, Poll, Stream, Wait

LIMIT_S = 60.0


class Notified:
    """What the listener has told, in its order."""

    def __init__(self, *, at_most: int = 100) -> None:
        self._queue: queue.SimpleQueue[Wait] = queue.SimpleQueue()
        self.room = WaitingRoom(at_most, self._queue.put)

    def next(self) -> Wait:
        return self._queue.get(timeout=LIMIT_S)

    def answered(self, poll: Poll) -> None:
        """Returns once the poll can be answered, and lets it go."""
        while self.next() is not poll:
            continue
        self.room.remove(poll)

    def messages(self, stream: Stream, count: int) -> list[dict[str, Any]]:
        """The data of the next messages of the only stream."""
        text = b""
        while (found := text.count(b"\n\n")) < count:
            assert self.next() is stream
            text += stream.take()
        assert found == count
        return [json.loads(data) for data in re.findall(rb"^data: (.+)$", text, re.MULTILINE)]


@contextmanager
def listening(*, at_most: int = 100) -> Iterator[Notified]:
    told = Notified(at_most=at_most)
    listener = Listener(told.room)
    listener.start()
    try:
        yield told
    finally:
        listener.stop()
        listener.join(LIMIT_S)
        assert not listener.is_alive()


def poll_for(job: Job, *, known: int | None = None) -> Poll:
    return Poll(job.pk, known=known, wait_s=LIMIT_S, finish=lambda: Finished("200 OK", [], b""))


def stream_for(
    caller: Caller = ANONYMOUS, *, jobs: frozenset[UUID] = frozenset(), after: EventCursor | None = None
) -> Stream:
    return Stream(caller, after or EventCursor(), jobs=jobs)


def note(job: Job, event: str = "noted", **to: Any) -> None:
    """Write an event, and change the job with it."""
    assert transitions.move(job.pk, Q(), event, actor="test", **(to or {"progress": F("progress")}))
