"""A connection to NATS with JetStream, for one thread of ours.

The client is made for asyncio: its loop runs in a thread of its own, so that pings are answered while ours waits for a
database. It never connects again by itself: whoever uses it sees each failure, and opens it anew when that suits.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import nats
import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from media_jobs.errors import NatsUnavailable

log = structlog.get_logger(__name__)

_CONNECT_S = 3
#: For the server's word on one call.
_CALL_S = 5.0
_CLOSE_S = 2.0
#: Within it the server itself drops a message that comes again with the same id; nothing here relies on that.
_DUPLICATES_S = 120.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream with limits: past them the oldest messages go, so that it neither fills a disk nor holds up who
    publishes. With them it also knows ids of messages after a restart, which a work-queue stream does not.
    """

    name: str
    subject: str
    max_bytes: int
    max_age_s: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that came, and how often by now.

    sequence: its place in the stream. traceparent, tracestate: its headers.
    """

    message: Msg
    payload: bytes
    subject: str
    stream: str
    sequence: int
    deliveries: int
    traceparent: str = ""
    tracestate: str = ""


class NatsClient:
    """One connection. All methods raise NatsUnavailable; then it is closed, and `open` begins anew."""

    def __init__(self, uri: str, *, name: str) -> None:
        self._servers = [server.strip() for server in uri.split(",") if server.strip()]
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"nats {name}", daemon=True)
        self._client: Any = None
        self._subscription: Any = None

    @property
    def is_open(self) -> bool:
        return self._client is not None and self._client.is_connected

    def open(self) -> None:
        """Connect, unless it is connected."""
        if self.is_open:
            return
        self._drop()
        if not self._thread.is_alive():
            self._thread.start()
        self._client = self._call(self._connect(), _CONNECT_S * len(self._servers) + 1)

    def ensure(self, stream: Stream) -> str:
        """Return the name of the stream that takes the subject: the operator's own, or ours, made where none does."""
        return self._call(self._ensure(stream), 2 * _CALL_S)

    def publish(self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str]) -> None:
        """Publish, and wait until the stream has stored it."""
        sent = {"Nats-Msg-Id": message_id, **headers}
        self._call(self._jetstream.publish(subject, payload, timeout=_CALL_S, headers=sent), _CALL_S + 1)

    def subscribe(self, stream: str, subject: str, *, durable: str, ack_wait_s: float, most_deliveries: int) -> None:
        """Become one of those who share the durable consumer of that name, made if it is not there."""
        config = ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT, ack_wait=ack_wait_s, max_deliver=most_deliveries, filter_subject=subject
        )
        waiting = self._jetstream.pull_subscribe(subject, durable=durable, stream=stream, config=config)
        self._subscription = self._call(waiting, 2 * _CALL_S)

    def fetch(self, *, most: int, wait_s: float) -> list[Delivery]:
        """Return what waits, at most so many; nothing where nothing came in that time."""
        return [_delivery(message) for message in self._call(self._fetch(most, wait_s), wait_s + _CALL_S)]

    def acknowledge(self, delivery: Delivery) -> None:
        """Have it never come again, and wait for the server's word on that."""
        self._call(delivery.message.ack_sync(timeout=_CALL_S), _CALL_S + 1)

    def terminate(self, delivery: Delivery) -> None:
        """Have it never come again, whatever was made of it."""
        self._call(delivery.message.term(), _CALL_S)

    def hold(self, delivery: Delivery) -> None:
        """Say that somebody is still at it, so that it does not come again meanwhile."""
        self._call(delivery.message.in_progress(), _CALL_S)

    def close(self) -> None:
        """End the connection and the thread. Never fails."""
        self._drop()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_S)
        if not self._loop.is_running():
            self._loop.close()

    # --- in the loop ------------------------------------------------------------------------------

    @property
    def _jetstream(self) -> Any:
        if not self.is_open:
            raise NatsUnavailable("not connected")
        return self._client.jetstream(timeout=_CALL_S)

    async def _connect(self) -> Any:
        return await nats.connect(
            servers=self._servers,
            name=f"gallimg {self._name}",
            connect_timeout=_CONNECT_S,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            error_cb=_note,
        )

    async def _ensure(self, stream: Stream) -> str:
        jetstream = self._jetstream
        with suppress(NotFoundError):
            return str(await jetstream.find_stream_name_by_subject(stream.subject))
        config = StreamConfig(
            name=stream.name,
            subjects=[stream.subject],
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_bytes=stream.max_bytes,
            max_age=stream.max_age_s,
            duplicate_window=min(_DUPLICATES_S, stream.max_age_s),
        )
        try:
            await jetstream.add_stream(config)
        except BadRequestError:  # there is one of that name: somebody made it at this moment, or for another subject
            known = (await jetstream.stream_info(stream.name)).config
            if stream.subject not in known.subjects:
                known.subjects.append(stream.subject)
                await jetstream.update_stream(known)
        return stream.name

    async def _fetch(self, most: int, wait_s: float) -> list[Msg]:
        try:
            return list(await self._subscription.fetch(most, timeout=wait_s))
        except (NatsTimeoutError, TimeoutError):
            if self.is_open:
                return []
            raise

    def _call(self, doing: Coroutine[Any, Any, Result], limit_s: float) -> Result:
        waiting = asyncio.run_coroutine_threadsafe(doing, self._loop)
        try:
            return waiting.result(limit_s)
        except (NatsError, OSError, FutureTimeoutError, TimeoutError, asyncio.CancelledError) as error:
            waiting.cancel()
            self._drop()
            raise NatsUnavailable(_why(error)) from error

    def _drop(self) -> None:
        client, self._client, self._subscription = self._client, None, None
        if client is None:
            return
        closing = asyncio.run_coroutine_threadsafe(client.close(), self._loop)
        with suppress(Exception):
            closing.result(_CLOSE_S)


async def _note(error: Exception) -> None:
    log.debug("nats_error", error=_why(error))


def _why(error: BaseException) -> str:
    """What may be shown: never the address, which may hold a password."""
    described = getattr(error, "description", None)
    return str(described) if described else type(error).__name__


def _delivery(message: Msg) -> Delivery:
    known, headers = message.metadata, message.headers or {}
    return Delivery(
        message,
        message.data,
        message.subject,
        known.stream,
        known.sequence.stream,
        known.num_delivered or 1,
        headers.get("traceparent", ""),
        headers.get("tracestate", ""),
    )
