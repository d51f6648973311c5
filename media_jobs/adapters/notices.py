"""The database says that the history of jobs has gone on: LISTEN on PostgreSQL, a counter in the file on SQLite."""

import os
import selectors
import time
from typing import Any, Protocol

from django.db import connection

from media_jobs.adapters import database

#: The name under which the trigger of migration 0012 notifies.
CHANNEL = "media_jobs_events"
#: How often SQLite is asked. It reads one number out of shared memory.
_ASK_EVERY_S = 0.05


class Alarm:
    """Ends a wait from another thread, or from a signal handler."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def set(self) -> None:
        try:
            os.write(self._write, b"!")
        except BlockingIOError:  # it is set already
            return

    def clear(self) -> None:
        try:
            while os.read(self._read, 4096):
                pass
        except BlockingIOError:
            return

    def fileno(self) -> int:
        return self._read

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Notices(Protocol):
    """Waits for news over the database connection of the thread that uses it."""

    def wait(self, alarm: Alarm, timeout_s: float) -> bool:
        """Return at the next news, when the alarm is set, or after `timeout_s`; whether there was news.

        What happened since the last time counts. Raises one of `database.CONNECTION_ERRORS`.
        """


def notices() -> Notices:
    """Begin to listen. Whatever is committed from now on is noticed; behind a pooler only by who looks again."""
    if connection.vendor != "postgresql":
        return _Asking()
    return _Waiting() if database.is_pooled() else _Listening()


class _Waiting:
    """Hears nothing: LISTEN would stay with a session that is somebody else's a moment later."""

    def wait(self, alarm: Alarm, timeout_s: float) -> bool:
        with selectors.DefaultSelector() as waiting:
            waiting.register(alarm, selectors.EVENT_READ)
            waiting.select(timeout_s)
        return False


class _Listening:
    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")

    def wait(self, alarm: Alarm, timeout_s: float) -> bool:
        if self._has_arrived():  # perhaps within the answer to another statement, where no socket tells of it
            return True
        with selectors.DefaultSelector() as waiting:
            waiting.register(alarm, selectors.EVENT_READ)
            waiting.register(self._driver.fileno(), selectors.EVENT_READ)
            waiting.select(timeout_s)
        return self._has_arrived()

    def _has_arrived(self) -> bool:
        with connection.wrap_database_errors:
            return bool(list(self._driver.notifies(timeout=0)))

    @property
    def _driver(self) -> Any:
        connection.ensure_connection()
        return connection.connection


class _Asking:
    def __init__(self) -> None:
        self._version = self._ask()

    def wait(self, alarm: Alarm, timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as waiting:
            waiting.register(alarm, selectors.EVENT_READ)
            while not self._has_changed():
                left_s = until - time.monotonic()
                if left_s <= 0 or waiting.select(min(left_s, _ASK_EVERY_S)):
                    return self._has_changed()
        return True

    def _has_changed(self) -> bool:
        before, self._version = self._version, self._ask()
        return self._version != before

    @staticmethod
    def _ask() -> int:
        """Return a number that is another one whenever another connection has committed."""
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            return int(cursor.fetchone()[0])
