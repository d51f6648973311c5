"""Events on their way to streams: each is read once for all who are at the same place in the history."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from media_jobs import event_log
from media_jobs.event_log import EventCursor
from media_jobs.models import Job, JobEvent
from media_jobs.services.waiting.waits import Stream

#: So many events are read at once, whoever they belong to: no reader holds the others up for long.
WINDOW = 200
#: What the outside is told of an event, by its type, beside job, number, type and time.
_TOLD = {"stage": ("stage",), "failed": ("code", "detail"), "reported": ("message",)}
_STATUS = {"done": "done", "failed": "error", "cancelled": "error"}


class Progress(NamedTuple):
    """given: the streams that have something to send now. more: whether to read on at once.

    settled: whether nothing is committed that cannot be read yet.
    """

    given: list[Stream]
    more: bool
    settled: bool


def read(streams: Collection[Stream]) -> Progress:
    """Append to each stream what it has not seen yet, as far as one window goes and its client keeps up.

    A stream's place is the end of the window also where nothing in it was for it.
    """
    until = event_log.horizon()
    places: defaultdict[EventCursor, list[Stream]] = defaultdict(list)
    for stream in streams:
        if stream.cursor < until and not stream.is_full:
            places[stream.cursor].append(stream)
    given: list[Stream] = []
    more = False
    for cursor, there in places.items():
        events = event_log.events_between(cursor, until, limit=WINDOW)
        is_whole = len(events) == WINDOW
        more |= is_whole
        given += _distribute(events, there)
        for stream in there:
            stream.cursor = EventCursor.of(events[-1]) if is_whole else until
    return Progress(given, more, settled=more or event_log.is_settled(until))


def _distribute(events: list[JobEvent], streams: Iterable[Stream]) -> list[Stream]:
    """Append each event to the streams that want it; which were given any."""
    if not events:
        return []
    jobs = Job.objects.filter(pk__in={event.job_id for event in events})
    known = {pk: (owner, image) for pk, owner, image in jobs.values_list("pk", "owner", "original_id")}
    texts: dict[int, bytes] = {}
    given: dict[Stream, None] = {}
    for event in events:
        if event.job_id not in known:  # deleted a moment ago, with its history
            continue
        owner, image = known[event.job_id]
        for stream in streams:
            if stream.wants(owner, event.job_id):
                if event.pk not in texts:
                    texts[event.pk] = message(EventCursor.of(event), told(event, image))
                stream.append(texts[event.pk])
                given[stream] = None
    return list(given)


def told(event: JobEvent, image: UUID) -> dict[str, Any]:
    """Return what a stream says of an event."""
    facts = {name: event.data[name] for name in _TOLD.get(event.type, ()) if name in event.data}
    return {
        "jobId": str(event.job_id),
        "imageId": str(image),
        "number": event.number,
        "type": event.type,
        "status": _STATUS.get(event.type, "processing"),
        "at": event.at.isoformat(),
        **facts,
    }


def message(cursor: EventCursor, data: dict[str, Any], *, name: str = "", retry_ms: int | None = None) -> bytes:
    """Return one message of a stream of Server-Sent Events. name: without one it is a `message`."""
    lines = [f"retry: {retry_ms}"] if retry_ms is not None else []
    lines += [f"event: {name}"] if name else []
    lines += [f"id: {cursor}", f"data: {json.dumps(data, ensure_ascii=False)}"]
    return ("\n".join(lines) + "\n\n").encode()


def heartbeat(cursor: EventCursor, *, retry_ms: int | None = None) -> bytes:
    """Return a message that keeps the connection alive and takes the reader's place forward, also past others' events.

    A browser's `onmessage` does not hear of it.
    """
    return message(cursor, {}, name="heartbeat", retry_ms=retry_ms)
