"""Publishes what happens beside a worker's jobs: in a thread of its own, so that neither waits for the other."""

import threading
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from media_jobs.adapters import database
from media_jobs.adapters.nats.client import NatsClient, Stream
from media_jobs.errors import NatsUnavailable
from media_jobs.services.messages import streams
from media_jobs.services.messages.relay import Relay
from media_jobs.services.messages.told import Message

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 0.25
#: So often one that does not publish looks whether who does has died.
_STAND_BY_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_END_WITHIN_S = 8.0


class NatsRelay:
    """Publishes until `stop`, or until `stopping` says so. Of many processes one does, and another when that is gone.

    holder: the process's name, never the same for two.
    """

    def __init__(self, uri: str, holder: str, stopping: Callable[[], bool] = lambda: False) -> None:
        self._client = NatsClient(uri, name="relay")
        self._streams: frozenset[str] = frozenset()
        self._relay = Relay(holder, self._publish)
        self._stopping = stopping
        self._stopped = threading.Event()
        self._pause_s = 0.0
        self._thread = threading.Thread(target=self._run, name="nats-relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Publish nothing more, and wait until it is over."""
        self._stopped.set()
        self._thread.join(_END_WITHIN_S)

    def _run(self) -> None:
        while not (self._stopped.is_set() or self._stopping()):
            self._stopped.wait(self._try())
        try:
            self._relay.release()
        except DatabaseError as error:
            database.discard_connection(error)
        connection.close()
        self._client.close()

    def _try(self) -> float:
        """Publish what is there; return for how long to wait."""
        try:
            connection.close_if_unusable_or_obsolete()
            more = self._relay.step()
        except NatsUnavailable as error:
            return self._fail(error)
        except DatabaseError as error:
            database.discard_connection(error)
            return _LONGEST_PAUSE_S / 10
        except Exception:
            log.exception("nats_relay_failed")
            return _LONGEST_PAUSE_S
        if more is None:
            return _STAND_BY_S
        return 0.0 if more else _LOOK_EVERY_S

    def _fail(self, error: NatsUnavailable) -> float:
        """Nothing is lost: the history of jobs keeps it."""
        if not self._pause_s:
            log.warning("nats_unavailable", error=str(error))
        self._streams = frozenset()
        self._pause_s = min(2 * self._pause_s or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        return self._pause_s

    def _publish(self, message: Message) -> None:
        """Raises NatsUnavailable."""
        self._client.open()
        stream = streams.by_subject()[message.subject]
        self._ensure(stream)
        self._client.publish(message.subject, message.payload, message_id=message.id, headers=message.trace)
        if self._pause_s:
            log.info("nats_available")
            self._pause_s = 0.0

    def _ensure(self, stream: Stream) -> None:
        """Once on each connection: somebody may have removed it."""
        if stream.subject not in self._streams:
            self._client.ensure(stream)
            self._streams |= {stream.subject}
