"""What a worker does about a database that cuts its connection, restarts, or stays away for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)

#: What Django raises when the connection is gone, cannot be made, or was chosen to end a deadlock.
GONE = (OperationalError, InterfaceError)
#: A restart takes about so long; who waits longer holds up other work.
PATIENCE_S = 15.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0

Result = TypeVar("Result")


def patiently(do: Callable[[bool], Result], *, for_s: float = PATIENCE_S) -> Result:
    """The result of `do(again)`, which is tried on a new connection, for `for_s` seconds, when the old one is gone.

    again: whether an earlier try may have been committed, although the answer never came. Raises one of GONE at last.
    """
    give_up_at = time.monotonic() + for_s
    pause_s = _FIRST_PAUSE_S
    again = False
    while True:
        try:
            return do(again)
        except GONE as error:
            if connection.in_atomic_block or time.monotonic() + pause_s > give_up_at:
                raise
            drop(error)
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        again = True


def drop(error: Exception) -> None:
    """Forget a connection that failed; the next query makes a new one."""
    log.warning("database_gone", error=type(error).__name__)
    if not connection.in_atomic_block:
        connection.close()


def is_there() -> bool:
    """Whether the database answers now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except GONE as error:
        drop(error)
        return False
    return True
