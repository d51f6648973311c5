"""What all tests may use."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection

from media_jobs.adapters import queue, storage
from media_jobs.adapters.storage.files import FileStore
from media_jobs.services.jobs import estimates
from media_jobs.services.jobs import worker as workers
from media_jobs.services.uploads import backlog
from tests.seaweed import SeaweedFS, seaweedfs

#: Markers of tests that use a database. Whole services do, in processes of their own.
_OF_DATABASES = ("django_db", "postgres", "e2e", "faults", "chaos", "corpus", "browser", "smoke")
_FIXTURES = frozenset({"db", "transactional_db"})


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, as in production: in memory its threads would share one connection's locks."""
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        database.setdefault("TEST", {})["NAME"] = str(settings.DATA_DIR / "test.sqlite3")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that commit empty the database behind them; each starts with what the migrations put there."""
    _leave_to_the_other_database(config, items)
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and marker.kwargs.get("transaction"):
            restoring = pytest.mark.django_db(**{**marker.kwargs, "serialized_rollback": True})
            item.add_marker(restoring, append=False)


def _leave_to_the_other_database(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs PostgreSQL to PostgreSQL, what uses none to SQLite, where it runs already."""
    fits = _uses_a_database if connection.vendor == "postgresql" else _runs_on_sqlite
    left = [item for item in items if not fits(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if fits(item)]


def _runs_on_sqlite(item: pytest.Item) -> bool:
    return not item.get_closest_marker("postgres")


def _uses_a_database(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in _OF_DATABASES) or not _FIXTURES.isdisjoint(
        getattr(item, "fixturenames", ())
    )


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> Iterator[None]:
    """What a process knows of the table for some seconds is of another table in the next test."""
    backlog.forget()
    estimates.forget()
    yield
    workers.replace_current(None)


@pytest.fixture(scope="session")
def seaweed() -> Iterator[SeaweedFS]:
    """A real S3 server for this process, started by the first test that wants it."""
    with seaweedfs() as running:
        yield running


@pytest.fixture
def object_store(tmp_path: Path, settings: Any) -> Iterator[FileStore]:
    """The store of all roles: files in a directory of this test."""
    settings.S3_BUCKET = ""
    settings.OBJECTS_DIR = tmp_path / "objects"
    storage.store.cache_clear()
    store = storage.store(storage.Role.WORKER)
    assert isinstance(store, FileStore)
    yield store
    storage.store.cache_clear()


@pytest.fixture
def valkey() -> Iterator["redis.Redis"]:
    """The queue's Valkey, empty."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client


def _queue_at(url: str, settings: Any) -> Iterator[None]:
    config = {"URL": url, "SERIALIZER": "rq.serializers.JSONSerializer"}
    settings.RQ_QUEUES = {lane: config for lane in settings.RQ_QUEUES}  # noqa: C420  (nobody changes it)
    queue._queue.cache_clear()
    yield
    queue._queue.cache_clear()


@pytest.fixture
def unreachable_queue(settings: Any) -> Iterator[None]:
    """A Redis that is not there."""
    yield from _queue_at("redis://127.0.0.1:1/0", settings)


@pytest.fixture
def frozen_queue(settings: Any) -> Iterator[None]:
    """A Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield from _queue_at(f"redis://127.0.0.1:{listener.getsockname()[1]}/0", settings)
