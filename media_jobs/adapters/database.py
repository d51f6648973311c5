"""Lost connections: how a worker survives that of the database, and how the database ends that of a lost worker."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

log = structlog.get_logger(__name__)

#: What Django raises when the connection is gone, cannot be made, was chosen to end a deadlock, or was idle in a
#: transaction for too long (InternalError).
CONNECTION_ERRORS = (OperationalError, InterfaceError, InternalError)
#: A restart takes about so long; who waits longer holds up other work.
RETRY_FOR_S = 15.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
#: Within a transaction we wait for nothing but the database. A client that is idle for so long has vanished, perhaps
#: with its host, and its locks must not stay until TCP gives up, hours later.
IDLE_IN_TRANSACTION_S = 15

Result = TypeVar("Result")


def retry_on_disconnect(
    do: Callable[[], Result], *, unless: Callable[[], Result | None] | None = None, for_s: float | None = None
) -> Result:
    """Return what `do` returns. When the connection is lost, try it again on a new one, for `for_s` seconds
    (RETRY_FOR_S).

    unless: for what must not be done twice. It is asked before each further try for the result of an earlier one that
    was committed, and whose answer got lost; what is false is none. Raises one of CONNECTION_ERRORS at last.
    """
    give_up_at = time.monotonic() + (RETRY_FOR_S if for_s is None else for_s)
    pause_s = _FIRST_PAUSE_S
    tried = False
    while True:
        try:
            return (unless() if tried and unless else None) or do()
        except CONNECTION_ERRORS as error:
            if connection.in_atomic_block or time.monotonic() + pause_s > give_up_at:
                raise
            discard_connection(error)
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        tried = True


def discard_connection(error: Exception) -> None:
    """Close a connection that failed; the next query makes a new one."""
    log.warning("database_connection_lost", error=type(error).__name__)
    if not connection.in_atomic_block:
        connection.close()


def is_available() -> bool:
    """Whether the database answers now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except CONNECTION_ERRORS as error:
        discard_connection(error)
        return False
    return True


def limit_idle_transactions(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have PostgreSQL end the transaction, and the connection, of a client that is idle in the middle of it.

    A receiver of `connection_created`. It uses a statement, since poolers refuse options at the start of a connection.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false)", [f"{IDLE_IN_TRANSACTION_S}s"]
            )
