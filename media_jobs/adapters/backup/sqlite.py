"""A SQLite database as one file, copied by SQLite itself: whatever is committed meanwhile is in it whole, or not."""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection

NAME = "database.sqlite3"


def dump(folder: Path) -> None:
    """Write the database into `folder`, in place of an earlier copy."""
    fresh = folder / f"{NAME}.new"
    fresh.unlink(missing_ok=True)
    connection.ensure_connection()
    with closing(sqlite3.connect(fresh)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    fresh.replace(folder / NAME)


def load(folder: Path) -> None:
    """Put the copy in place of the database, whatever that holds. Nobody else may have it open."""
    connection.ensure_connection()
    with closing(sqlite3.connect(f"file:{folder / NAME}?mode=ro", uri=True)) as copy:
        copy.backup(connection.connection)
    connection.close()
