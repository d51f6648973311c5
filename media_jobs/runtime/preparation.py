"""What has to be true before a service starts: a database with its tables, and a decoder that works."""

import io

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from media_jobs import event_log
from media_jobs.adapters.decoder.selftest import DecoderUnusable, selftest
from media_jobs.runtime.resources import CannotStart
from media_jobs.services.messages import relay

#: Hosts that start at once migrate one after the other. Any number will do, as long as it stays.
MIGRATION_LOCK = 7_264_911


def prepare_database(*, migrate: bool) -> None:
    """Run the system checks, then migrate. For a fork: it exits with one line on failure."""
    try:
        call_command("check", stdout=io.StringIO())
        if migrate:
            _migrate()
        if settings.NATS_URI:
            relay.begin()
    except CommandError as error:
        raise CannotStart(str(error)) from error
    except (DatabaseError, ImproperlyConfigured) as error:
        why = " ".join(str(error).split())
        raise CannotStart(f"{settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}: {why}") from error


def _migrate() -> None:
    """Migrate, alone among all hosts that share the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])  # until this process ends
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
        event_log.after_restore()


def probe_decoder() -> None:
    """Have the decoder read and write every format once. For a fork: it exits with one line on failure."""
    try:
        selftest(settings.SANDBOX_MEMORY_BYTES, settings.WORK_DIR)
    except DecoderUnusable as error:
        raise CannotStart(str(error)) from error
