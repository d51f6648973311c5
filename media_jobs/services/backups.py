"""Backups: the database as it is at one moment, and where the storage is files, the objects, while all goes on."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from media_jobs import keys
from media_jobs.adapters.backup import objects, postgres, sqlite
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import Blame, MediaError
from media_jobs.models import Original

_FORMAT = 1
_MANIFEST = "backup.json"
_OBJECTS = "objects"
_KEY_FILE = "secret_key"


class BackupUnusable(MediaError):
    """The sentence says what is wrong with it, or with where it is to go."""

    code = "backup_unusable"
    blame = Blame.CALLER


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. It is written last: without it there is no backup.

    database: sqlite or postgresql. migrations: as app and name. tables: of PostgreSQL, each with its columns.
    bucket: where the objects are that the backup lacks; empty where it has them. derivatives: whether it has those.
    """

    made_at: str
    database: str
    migrations: list[list[str]]
    tables: dict[str, list[str]] = field(default_factory=dict)
    bucket: str = ""
    derivatives: bool = True
    format: int = _FORMAT


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made. copied: objects that were not in the folder yet."""

    manifest: Manifest
    copied: int


def make(folder: Path, *, derivatives: bool) -> Made:
    """Make a backup in `folder`, or renew the one there. Safe while everything runs. Raises OSError, BackupUnusable.

    The database comes first: whatever its rows name is stored already, and is copied after it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / _MANIFEST).exists() and not (folder / _OBJECTS).exists():
        raise BackupUnusable(f"{folder} holds something that is no backup. Name an empty folder, or a new one.")
    (folder / _MANIFEST).unlink(missing_ok=True)
    tables = _dump(folder)
    copied = 0 if settings.S3_BUCKET else objects.copy(_keys(derivatives), settings.OBJECTS_DIR, folder / _OBJECTS)
    if (settings.DATA_DIR / _KEY_FILE).exists():
        shutil.copyfile(settings.DATA_DIR / _KEY_FILE, folder / _KEY_FILE)
        (folder / _KEY_FILE).chmod(0o600)
    manifest = Manifest(
        made_at=timezone.now().isoformat(timespec="seconds"),
        database=connection.vendor,
        migrations=sorted([app, name] for app, name in MigrationRecorder(connection).applied_migrations()),
        tables=tables,
        bucket=settings.S3_BUCKET,
        derivatives=derivatives,
    )
    fresh = folder / f"{_MANIFEST}.new"
    fresh.write_text(json.dumps(asdict(manifest), indent=1))
    fresh.replace(folder / _MANIFEST)
    return Made(manifest, copied)


def read(folder: Path) -> Manifest:
    """Return what the backup says of itself. Raises BackupUnusable where it does not fit this service."""
    try:
        said: dict[str, Any] = json.loads((folder / _MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise BackupUnusable(f"{folder} holds no backup that was made to its end: it has no {_MANIFEST}.") from error
    if said.get("format") != _FORMAT:
        raise BackupUnusable("The backup was made by a newer version of gallimg; restore it with that one.")
    manifest = Manifest(**said)
    if manifest.database != connection.vendor:
        raise BackupUnusable(f"The backup is of {manifest.database}, and the database here is {connection.vendor}.")
    return manifest


def check_replaceable() -> None:
    """Raise BackupUnusable where the database holds images, which a restore would remove."""
    if Original._meta.db_table in connection.introspection.table_names() and Original.objects.exists():
        raise BackupUnusable("The database here has images. With --replace they are replaced by those of the backup.")


def load_rows(folder: Path, manifest: Manifest) -> None:
    """Replace the rows of the database, whose tables are as those of the backup, by the backup's."""
    if manifest.database == "postgresql":
        postgres.load(folder, manifest.tables)
    else:
        sqlite.load(folder)


def restore_objects(folder: Path) -> int:
    """Copy the backup's objects to where they are missing; how many. The key that signs sessions comes with them."""
    if (folder / _KEY_FILE).exists():
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(folder / _KEY_FILE, settings.DATA_DIR / _KEY_FILE)
        (settings.DATA_DIR / _KEY_FILE).chmod(0o600)
    if settings.S3_BUCKET:
        return 0
    return objects.copy(objects.keys_in(folder / _OBJECTS), folder / _OBJECTS, settings.OBJECTS_DIR)


def _dump(folder: Path) -> dict[str, list[str]]:
    if connection.vendor == "postgresql":
        return postgres.dump(folder)
    sqlite.dump(folder)
    return {}


def _keys(derivatives: bool) -> Iterator[str]:
    for prefix in sorted(keys.PREFIXES if derivatives else keys.PRIVATE_PREFIXES):
        yield from store(Role.WORKER).keys(prefix)
