"""What has to be true before a service starts: a database with its tables, and a decoder that works."""

import importlib.util
import io
import pkgutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from media_jobs import event_log
from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.runtime import migrating
from media_jobs.runtime.resources import CannotStart
from media_jobs.services.messages import relay

log = structlog.get_logger(__name__)

#: Hosts that start at once migrate one after the other. Any number will do, as long as it stays.
MIGRATION_LOCK = 7_264_912
#: So long a host waits for another one that migrates.
LOCK_LIMIT_S = 600.0
_ASK_AGAIN_S = 0.5


def prepare_database(*, migrate: bool) -> None:
    """Where a migration is new, run the system checks and migrate. For a fork: it exits with one line on failure.

    The checks judge code, and take as long as all else does: they wait for a release that changes a table.
    """
    try:
        if migrate:
            _migrate()
        if settings.NATS_URI:
            relay.begin()
    except CommandError as error:
        raise CannotStart(str(error)) from error
    except (DatabaseError, ImproperlyConfigured) as error:
        why = " ".join(str(error).split())
        raise CannotStart(f"{settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}: {why}") from error


def database_problem() -> str:
    """Return why a command cannot use the database, in a sentence; empty where it has all its tables."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, ImproperlyConfigured) as error:
        why = " ".join(str(error).split())
        return f"The database cannot be used ({why}); look at DATABASE_URL and GALLIMG_DATA."
    return "The database is not up to date: run “manage.py migrate”, or start the service once." if missing else ""


def _migrate() -> None:
    """Migrate, alone among all hosts that share the database."""
    with alone():
        if not _has_all_migrations():
            call_command("check", stdout=io.StringIO())
            migrating.migrate()
        event_log.after_restore()


def _has_all_migrations() -> bool:
    """Whether each file of a migration has been applied. Django's plan imports all of them to say so."""
    applied = MigrationRecorder(connection).applied_migrations()
    return all((app.label, name) in applied for app in apps.get_app_configs() for name in _migrations_of(app.label))


def _migrations_of(app_label: str) -> Iterator[str]:
    package, _ = MigrationLoader.migrations_module(app_label)
    found = importlib.util.find_spec(package) if package else None
    for module in pkgutil.iter_modules((found and found.submodule_search_locations) or []):
        if not module.ispkg and module.name[0] not in "_~":  # as Django has it
            yield module.name


@contextmanager
def alone() -> Iterator[None]:
    """Keep other hosts from migrating meanwhile. Raises CannotStart where one does for LOCK_LIMIT_S.

    The lock ends with a transaction of a connection of its own, and not with a session, which behind a pooler goes on
    when its client is gone. Trying, and not waiting, leaves the pooler its connection meanwhile.
    """
    if connection.vendor != "postgresql":
        yield
        return
    holder = connection.copy()
    try:
        give_up_at, told = time.monotonic() + LOCK_LIMIT_S, False
        holder.set_autocommit(False)
        while not _took_lock(holder):
            holder.rollback()
            if not told:
                log.info("waiting_for_migration", limit_s=LOCK_LIMIT_S)
                told = True
            if time.monotonic() >= give_up_at:
                raise CannotStart(
                    f"Another host has been migrating the database for {LOCK_LIMIT_S / 60:g} minutes; look at its log, "
                    f"and in PostgreSQL at pg_locks for the advisory lock {MIGRATION_LOCK}"
                )
            time.sleep(_ASK_AGAIN_S)
        yield
    finally:
        holder.close()


def _took_lock(holder: BaseDatabaseWrapper) -> bool:
    with holder.cursor() as cursor:
        # It is idle for as long as the migration takes, and must not be ended for that.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        return bool(cursor.fetchone()[0])


def probe_decoder() -> None:
    """Have the decoder read and write every format once. For a fork: it exits with one line on failure."""
    try:
        selftest(settings.SANDBOX_MEMORY_BYTES, settings.WORK_DIR)
    except DecoderUnusable as error:
        raise CannotStart(str(error)) from error
