"""The connection: how a worker survives its loss, how the database ends that of a lost worker, which database it is."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection, transaction
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

#: Of psycopg: no transaction has begun.
_IDLE = 0

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


def is_made() -> bool:
    """Whether there is a database; SQLite would make its file as soon as it is asked something."""
    return connection.vendor != "sqlite" or Path(connection.settings_dict["NAME"]).exists()


def is_available() -> bool:
    """Whether the database answers now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except CONNECTION_ERRORS as error:
        discard_connection(error)
        return False
    return True


@contextmanager
def in_a_hurry(limit_s: float) -> Iterator[None]:
    """Let statements within wait for others for no longer than that. Raises one of CONNECTION_ERRORS."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{limit_s:g}s"])
            yield
        return
    usual_s = connection.settings_dict["OPTIONS"].get("timeout", 5)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {int(limit_s * 1000)}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {int(usual_s * 1000)}")


@cache
def short_name() -> str:
    """Return twelve hexadecimal digits that are the same for all processes over this database, and for no other.

    A copy has others, as it lies elsewhere, unless the disk of a whole server was copied. Raises one of
    CONNECTION_ERRORS.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuid FROM media_jobs_installation")
        own = (cursor.fetchone() or ("",))[0]
        if connection.vendor == "postgresql":
            cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            place = f"{cursor.fetchone()[0]} {_cluster()}"
        else:
            place = str(Path(connection.settings_dict["NAME"]).stat().st_ino)
    return hashlib.sha256(f"{str(own).replace('-', '')} {place}".encode()).hexdigest()[:12]


def _cluster() -> str:
    """The number that PostgreSQL gave itself when it was set up; empty where it is not for everybody to know."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT system_identifier FROM pg_control_system()")
            return str(cursor.fetchone()[0])
    except DatabaseError as error:
        if isinstance(error, CONNECTION_ERRORS):
            raise
        return ""


def checkpoint() -> None:
    """Have SQLite write its log back into the main file, so that a copy of that alone has everything."""
    if connection.vendor != "sqlite":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except DatabaseError as error:
        log.warning("database_not_checkpointed", error=str(error))
    finally:
        connection.close()


def limit_idle_transactions(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have PostgreSQL end the transaction, and the connection, of a client that is idle in the middle of it.

    A receiver of `connection_created`. It uses a statement, since poolers refuse options at the start of a connection.
    Behind a pooler a session is nobody's own, so there each transaction says it anew.
    """
    if connection.vendor != "postgresql":
        return
    driver: Any = connection.connection
    limit = f"{IDLE_IN_TRANSACTION_S}s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_backend_pid() = %s AND {_LIMIT_IDLE.format('false')} IS NOT NULL",
            [driver.info.backend_pid, limit],
        )
        is_own_session = cursor.fetchone()[0]
    wrappers = connection.execute_wrappers
    wrappers[:] = [wrapper for wrapper in wrappers if not isinstance(wrapper, _LimitEachTransaction)]
    if not is_own_session:
        wrappers.append(_LimitEachTransaction(driver, limit))


def is_pooled() -> bool:
    """Whether a pooler gives each transaction of this connection another session. Raises one of CONNECTION_ERRORS."""
    connection.ensure_connection()
    return any(isinstance(wrapper, _LimitEachTransaction) for wrapper in connection.execute_wrappers)


_LIMIT_IDLE = "set_config('idle_in_transaction_session_timeout', %s, {})"


class _LimitEachTransaction:
    """Sent ahead of the first statement of a transaction."""

    def __init__(self, driver: Any, limit: str) -> None:
        self._driver, self._limit = driver, limit

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not self._driver.autocommit and self._driver.info.transaction_status == _IDLE:
            self._driver.execute(f"SELECT {_LIMIT_IDLE.format('true')}", [self._limit])
        return execute(sql, params, many, context)
