"""A PostgreSQL database as one file for each table, in the text format of COPY: any later server reads it.

No `pg_dump` is needed, which would have to be as new as the server.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from psycopg import sql

_FOLDER = "database"
_CHUNK_BYTES = 1_048_576
#: Made by migrations, beside tables: they begin so.
_FUNCTIONS = "media_jobs%"
#: Those that PostgreSQL does not make of others.
_OWN_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = quote_ident(%s)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
"""


def dump(folder: Path) -> dict[str, list[str]]:
    """Write all tables as they were at one moment. Return their columns, which `load` wants."""
    into = folder / _FOLDER
    into.mkdir(exist_ok=True)
    columns: dict[str, list[str]] = {}
    with _snapshot() as driver:
        for table in tables():
            columns[table] = [name for (name,) in driver.execute(_OWN_COLUMNS, [table])]
            fresh = into / f"{table}.new"
            with fresh.open("wb") as file, driver.cursor().copy(_copying(table, columns[table], "TO STDOUT")) as rows:
                for chunk in rows:
                    file.write(chunk)
            fresh.replace(into / table)
    return columns


def load(folder: Path, columns: dict[str, list[str]]) -> None:
    """Fill the tables, which are as they were when they were dumped; all of them or none."""
    with transaction.atomic(), connection.cursor() as cursor:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        for table in columns:  # what triggers count is in the backup, too
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
        driver: Any = connection.connection
        for table, found in columns.items():
            with (
                (folder / _FOLDER / table).open("rb") as file,
                driver.cursor().copy(_copying(table, found, "FROM STDIN")) as rows,
            ):
                while chunk := file.read(_CHUNK_BYTES):
                    rows.write(chunk)
        for statement in connection.ops.sequence_reset_sql(
            no_style(), list(apps.get_models(include_auto_created=True))
        ):
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
        for table in columns:
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))


def drop() -> None:
    """Remove all that migrations made."""
    with transaction.atomic(), connection.cursor() as cursor:
        names = sql.SQL(", ").join(map(sql.Identifier, [*tables(), "django_migrations"]))
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(names))
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname LIKE %s",
            [_FUNCTIONS],
        )
        for (function,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP FUNCTION {} CASCADE").format(sql.Identifier(function)))


def tables() -> list[str]:
    """Return the names of the tables of all models that are there."""
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(found)


@contextmanager
def _snapshot() -> Iterator[Any]:
    """A connection that sees the database as it is now."""
    reader = connection.copy()
    try:
        reader.connect()
        driver: Any = reader.connection
        driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        driver.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # disks may be slow
        yield driver
        driver.execute("COMMIT")
    finally:
        reader.close()


def _copying(table: str, columns: list[str], direction: str) -> Any:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(table), names, sql.SQL(direction))
