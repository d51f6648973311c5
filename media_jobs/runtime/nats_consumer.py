"""Takes requests from NATS, one after the other, and acknowledges each when it is done."""

import threading

import structlog
from django.conf import settings
from django.db import connection

from media_jobs import tracing
from media_jobs.adapters import database
from media_jobs.adapters.nats.client import Delivery, NatsClient
from media_jobs.errors import MediaError, MessageTooOften, NatsUnavailable
from media_jobs.services.messages import requests, streams

log = structlog.get_logger(__name__)

DURABLE = "gallimg"
_ACK_WAIT_S = 60.0
#: After so many it is taken for what kills whoever takes it.
MOST_DELIVERIES = 5
#: The server's own limit is never reached: then a message would be lost silently.
_SERVERS_LIMIT = 100
_FETCHED = 20
_WAIT_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


class Consumer:
    """One of those who share the durable consumer. What it holds when it dies comes to another after a minute."""

    def __init__(self, uri: str) -> None:
        self._client = NatsClient(uri, name="consumer")
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after the message in hand. May be called by a signal handler."""
        self._stopped.set()

    def run(self) -> None:
        """Work until `stop`."""
        pause_s = _FIRST_PAUSE_S
        while not self._stopped.is_set():
            try:
                self._subscribe()
                while not self._stopped.is_set():
                    self._take_some()
                    pause_s = _FIRST_PAUSE_S
            except NatsUnavailable as error:
                log.warning("nats_unavailable", error=str(error), pause_s=pause_s)
                self._stopped.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        connection.close()
        self._client.close()

    def _subscribe(self) -> None:
        self._client.open()
        stream = self._client.ensure(streams.requests())
        subject = settings.NATS_SUBJECT_IMAGE_REQUESTS
        self._client.subscribe(stream, subject, durable=DURABLE, ack_wait_s=_ACK_WAIT_S, most_deliveries=_SERVERS_LIMIT)
        log.info("consumer_ready", stream=stream, subject=subject)

    def _take_some(self) -> None:
        deliveries = self._client.fetch(most=_FETCHED, wait_s=_WAIT_S)
        for place, delivery in enumerate(deliveries):
            if self._stopped.is_set():
                return  # what is left comes to another
            if not self._take(delivery, deliveries[place:]):
                return

    def _take(self, delivery: Delivery, held: list[Delivery]) -> bool:
        """Do one; False where it was given up because of a stop. Waits for a database that is away."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                connection.close_if_unusable_or_obsolete()
                with tracing.of_message(delivery.traceparent, delivery.tracestate):
                    self._decide(delivery)
                return True
            except database.CONNECTION_ERRORS as error:
                database.discard_connection(error)
            self._stopped.wait(pause_s)
            if self._stopped.is_set():
                return False
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            for waiting in held:  # it is no fault of theirs
                self._client.hold(waiting)

    def _decide(self, delivery: Delivery) -> None:
        try:
            if delivery.deliveries > MOST_DELIVERIES:
                raise MessageTooOften(deliveries=delivery.deliveries - 1)
            requests.take(delivery.payload)
        except (*requests.REFUSALS, MessageTooOften) as error:
            self._keep_dead_letter(delivery, error)
            self._client.terminate(delivery)
        else:
            self._client.acknowledge(delivery)

    def _keep_dead_letter(self, delivery: Delivery, error: MediaError) -> None:
        requests.keep_dead_letter(
            error,
            payload=delivery.payload,
            subject=delivery.subject,
            stream=delivery.stream,
            sequence=delivery.sequence,
            deliveries=delivery.deliveries,
        )
