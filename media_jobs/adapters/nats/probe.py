"""Whether NATS is there: asked by web processes, which load no client for it."""

import socket
from urllib.parse import urlsplit

from media_jobs.errors import NatsUnavailable

_LIMIT_S = 1.0
_PORT = 4222


def ping(uri: str) -> None:
    """Connect to the first server that `uri` names, and read its greeting. Raises NatsUnavailable."""
    parts = urlsplit(uri.partition(",")[0].strip())
    try:
        with socket.create_connection((parts.hostname or "", parts.port or _PORT), _LIMIT_S) as connection:
            greeting = connection.recv(5)
    except OSError as error:
        raise NatsUnavailable(type(error).__name__) from error
    if greeting != b"INFO ":
        raise NatsUnavailable("something else answers")
