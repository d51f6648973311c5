"""What one service on a host has alone: the data directory, the listening socket and the embedded queue server."""

import fcntl
import os
import socket
from typing import IO

from django.conf import settings

from media_jobs.runtime.children import Child
from media_jobs.runtime.valkey import EmbeddedValkey, ValkeyUnusable


class CannotStart(SystemExit):
    """Ends the start with exit code 1 and one line on standard error that says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"gallimg cannot start. {why}")


def lock_data_directory() -> IO[str]:
    """Lock the data directory until this process ends. Raises CannotStart when another service has it."""
    path = settings.DATA_DIR / "lock"
    try:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("a+")
    except OSError as error:
        raise CannotStart(
            f"GALLIMG_DATA: got {str(settings.DATA_DIR)!r}, which cannot be used ({error.strerror}); "
            "takes a directory that you may write to"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise CannotStart(
            f"It is already running on {settings.DATA_DIR} (process {lock.read().strip() or 'unknown'}); "
            "stop it, or choose another GALLIMG_DATA"
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises CannotStart when there can be none."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise CannotStart(
            f"Cannot listen on {host}:{port} ({error.strerror}); choose another PORT, such as PORT={port % 65535 + 1}, "
            "or another HOST"
        ) from error
    return listener


def start_queue() -> list[Child]:
    """Start the embedded Valkey and wait until it answers, unless REDIS_URL names another server.

    Raises CannotStart.
    """
    if not settings.EMBEDDED_QUEUE:
        return []
    valkey = EmbeddedValkey(settings.EMBEDDED_SOCKET, settings.DATA_DIR / "valkey")
    child = Child("valkey", valkey.run)
    try:
        child.started(valkey.start())
    except ValkeyUnusable as error:
        raise CannotStart(f"Queue server: {error}") from error
    return [child]
