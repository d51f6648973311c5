"""Whether the queue's server takes our settings: asked once, at the start."""

import socket
import ssl
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError
from redis.retry import Retry

from media_jobs.adapters.tls import TlsFault, fault_of
from media_jobs.states import Lane

log = structlog.get_logger(__name__)

_LIMIT_S = 3.0
_TAKES = "takes redis://user:password@host:port/number, rediss:// for TLS"
_ADVICE = {
    TlsFault.UNTRUSTED: "add ?ssl_ca_certs=/path/of/your/authority.pem to the address",
    TlsFault.OTHER_NAME: "name it in the address by a name that is in its certificate",
    TlsFault.NO_TLS: "write redis:// for rediss://",
}


class QueueUnusable(Exception):
    """Waiting will not help; the message is one line that names the setting, and shows no part of a password."""


def probe_queue() -> None:
    """Ask the server that REDIS_URL names, if it names one, whether it would serve us. Raises QueueUnusable.

    One that does not answer may do so later: that is logged, and no reason not to start.
    """
    if settings.EMBEDDED_QUEUE:
        return
    url = str(settings.RQ_QUEUES[Lane.INTERACTIVE.value]["URL"])
    try:
        _ask(url)
    except (ResponseError, AuthenticationError, AuthorizationError) as error:
        raise QueueUnusable(
            f"REDIS_URL: the server at {_where(url)} refuses it ({_refusal(error)}); {_TAKES}"
        ) from None
    except (ValueError, TypeError, AttributeError):  # their texts may hold parts of a password
        raise QueueUnusable(f"REDIS_URL: got a value that is not shown and not understood; {_TAKES}") from None
    except (RedisError, OSError) as error:
        if fault := fault_of(error) or _speaks_in_the_open(url):
            raise QueueUnusable(f"REDIS_URL: got the server at {_where(url)}, but {fault}; {_ADVICE[fault]}") from None
        if _wants_tls(url):
            raise QueueUnusable(
                f"REDIS_URL: got the server at {_where(url)}, which speaks TLS; write rediss:// for redis://"
            ) from None
        why = f"no answer from {_where(url)}: is REDIS_URL right? It starts all the same"
        log.warning("queue_unreachable", why=why)


def _ask(url: str) -> None:
    limits = {"socket_connect_timeout": _LIMIT_S, "socket_timeout": _LIMIT_S, "retry": Retry(NoBackoff(), 0)}
    with Redis.from_url(url, **limits) as client:
        client.ping()


def _refusal(error: RedisError) -> str:
    """Return what the server said, which is never more than what is wrong."""
    said = str(error)
    if "index is out of range" in said:
        return "it has no database of this number"
    if any(words in said.lower() for words in ("auth", "password", "wrongpass", "permission")):
        return "user or password are wrong, or may too little"
    return said[:100]


def _where(url: str) -> str:
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"


def _speaks_in_the_open(url: str) -> TlsFault | None:
    """NO_TLS where a server that understands nothing of TLS answers without it."""
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return None
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=_LIMIT_S) as connection:
            connection.sendall(b"PING\r\n")
            return TlsFault.NO_TLS if connection.recv(1) in (b"+", b"-") else None
    except OSError:
        return None


def _wants_tls(url: str) -> bool:
    """Whether a server that closes plain connections answers encrypted ones."""
    parts = urlsplit(url)
    if parts.scheme != "redis":
        return False
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=_LIMIT_S) as connection:
            context.wrap_socket(connection).close()
    except OSError:
        return False
    return True
