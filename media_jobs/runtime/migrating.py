"""Migrates the database while others use it: no statement waits for a lock behind which all others would queue."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import OperationalError, connection

from media_jobs.runtime.resources import CannotStart

log = structlog.get_logger(__name__)

#: Whoever asks for a table holds up all who come after, also those who only read: so long at most.
LOCK_TIMEOUT_S = 3.0
#: Then they have their turn, and it is asked for again; so often.
TRIES = 40
_PAUSE_S = 2.0
_LOCK_NOT_AVAILABLE = "55P03"


def _all_of_it() -> None:
    call_command(Migrate(), interactive=False, verbosity=0)


def migrate(run: Callable[[], Any] = _all_of_it) -> None:
    """Bring the database up to date, by `run`: Django's own command, as it was called.

    Raises CannotStart where somebody holds a table for minutes. What was migrated until then stays: each migration is a
    transaction, and the next try goes on behind it.
    """
    for left in reversed(range(TRIES)):
        try:
            with connection.execute_wrapper(_bound_locks):
                run()
            return
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                raise
            if not left:
                raise CannotStart(
                    f"A migration waited for a table {TRIES} times. Somebody holds it in a long transaction: look at "
                    "pg_stat_activity for the oldest xact_start, end that, and start again"
                ) from error
            log.warning("migration_waits", tries_left=left, why=" ".join(str(error).split()))
            time.sleep(_PAUSE_S)


def _bound_locks(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Sent ahead of what changes a table: for its transaction alone, as behind a pooler the session is everybody's."""
    if connection.vendor == "postgresql" and connection.in_atomic_block and _changes_a_table(str(sql)):
        context["cursor"].cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S * 1000:.0f}ms'")
    return execute(sql, params, many, context)


def _changes_a_table(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("ALTER ", "CREATE ", "DROP ", "LOCK "))
