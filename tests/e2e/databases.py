"""Databases of services: one for each, on the server of the tests."""

import functools
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings


@contextmanager
def database(*, empty: bool = False) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database on the tests' server, or nothing where SQLite is tested.

    empty: the first service has to migrate it; else it is a copy of one that is migrated, which saves seconds.
    """
    if os.environ.get("TEST_DB") != "postgres":
        yield ""
        return
    server = os.environ["DATABASE_URL"]
    template = "template1" if empty else _migrated(server)
    name = f"e2e_{secrets.token_hex(4)}"
    _create(server, name, template)
    yield _database_url(server, name)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@functools.cache
def _migrated(server: str) -> str:
    """The name of a database of this server that is as the migrations leave it."""
    _create(server, "migrated", "template1")
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": _database_url(server, "migrated")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return "migrated"


def _create(server: str, name: str, template: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())


def _database_url(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
