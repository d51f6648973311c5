"""Brings a backup back: tables as they were, their rows, and then whatever has changed since."""

from pathlib import Path
from uuid import uuid4

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from media_jobs.adapters.backup import postgres
from media_jobs.models import Installation
from media_jobs.runtime.preparation import alone
from media_jobs.services import backups
from media_jobs.services.backups import BackupUnusable, Manifest


def restore(folder: Path, *, replace: bool) -> int:
    """Restore the backup in `folder` into the database and the storage; how many objects came back.

    replace: also where there are images already. Nothing else may use the database. Raises BackupUnusable, OSError and
    what the database raises; after that it may be repeated.
    """
    manifest = backups.read(folder)
    if not replace:
        backups.check_replaceable()
    with alone():
        _make_tables(manifest)
        backups.load_rows(folder, manifest)
        call_command("migrate", interactive=False, verbosity=0)
        # What was copied may still run elsewhere, over the same Redis.
        Installation.objects.update(uuid=uuid4())
    return backups.restore_objects(folder)


def _make_tables(manifest: Manifest) -> None:
    """Make the tables that the backup was made of. Raises BackupUnusable where this version does not know them.

    Those of SQLite are in its copy.
    """
    known = MigrationExecutor(connection).loader
    wanted = {(app, name) for app, name in manifest.migrations}
    if unknown := sorted(f"{app}.{name}" for app, name in wanted - set(known.disk_migrations)):
        raise BackupUnusable(f"The backup was made by a newer version of gallimg, with {unknown[0]}; restore it there.")
    if connection.vendor == "postgresql":
        postgres.drop()
        # The last of each app: named earlier ones, Django would go back to them.
        followed = {
            parent.key for node in wanted for parent in known.graph.node_map[node].parents if parent.key[0] == node[0]
        }
        MigrationExecutor(connection).migrate(sorted(wanted - followed))
