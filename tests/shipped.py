"""What the migrations put into the database, for the next test behind one that commits.

Django's way, to truncate all tables and to make their rows anew by its models, takes a quarter of a second.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class Shipped:
    """Copies of the tables that are not empty, and the names of all. place: where the copies are.

    columns: of each table with a copy; a migration back and forth changes their order.
    """

    place: str
    tables: tuple[str, ...]
    columns: dict[str, str]

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Copy them: on PostgreSQL into a schema beside the tables, on SQLite into a file in `folder`."""
        tables = tuple(sorted(connection.introspection.django_table_names(only_existing=True, include_views=False)))
        postgresql = connection.vendor == "postgresql"
        place = "shipped" if postgresql else str(folder / "shipped.sqlite3")
        with _opened(place), connection.cursor() as cursor:
            if postgresql:
                cursor.execute("CREATE SCHEMA shipped")
            columns = {}
            for table in _filled(tables):
                cursor.execute(f"CREATE TABLE shipped.{table} AS SELECT * FROM {table}")
                names = [column.name for column in connection.introspection.get_table_description(cursor, table)]
                columns[table] = ", ".join(map(connection.ops.quote_name, names))
        return cls(place, tables, columns)

    def restore(self) -> None:
        """Whatever was committed goes; what is in the copies is there again. References are checked at the end."""
        with _opened(self.place), transaction.atomic(), connection.cursor() as cursor:
            while filled := _filled(self.tables):  # triggers write into tables that were empty
                for table in filled:
                    cursor.execute(f"DELETE FROM {table}")
            for table, columns in self.columns.items():
                cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM shipped.{table}")


@contextmanager
def _opened(place: str) -> Iterator[None]:
    """The copies are `shipped.…` meanwhile."""
    if connection.vendor == "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("ATTACH %s AS shipped", [place])
        yield
        cursor.execute("DETACH shipped")


def _filled(tables: Iterable[str]) -> list[str]:
    """Those with rows in them."""
    ask = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(ask))
        return [table for (table,) in cursor.fetchall()]
