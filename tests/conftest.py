"""What all tests may use."""

import functools
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import structlog
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connection
from django.test import TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from gallimg_site import admin_site
from media_jobs.adapters import database, queue, rate_counter, storage, tokens
from media_jobs.adapters.storage.files import FileStore
from media_jobs.adapters.storage.s3_anonymous import anonymous_pool
from media_jobs.api.shared.openapi import views
from media_jobs.services import engines
from media_jobs.services.jobs import estimates
from media_jobs.services.uploads import backlog
from tests import shared_decoder
from tests.leftovers import Leftovers
from tests.servers.seaweed import SeaweedFS, seaweedfs
from tests.shipped import Shipped

admin_site.load()  # tests import its modules one by one

#: Markers of tests of whole services: these use a database, and do so in processes of their own.
_WHOLE_SERVICES = ("e2e", "faults", "chaos", "corpus", "browser", "smoke", "hostile", "proxies", "container")
_FIXTURES = frozenset({"db", "transactional_db"})


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, as in production: in memory its threads would share one connection's locks.

    It waits for no disk, as PostgreSQL does not here: what comes of a power cut is no test's subject.
    """
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        database.setdefault("TEST", {})["NAME"] = str(settings.DATA_DIR / "test.sqlite3")
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Files of this process, too, are with the system and not on the disk when they are stored."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _answers_may_take_their_time() -> Iterator[None]:
    """httpx of itself gives up after five seconds, which a busy machine needs now and then."""
    with pytest.MonkeyPatch.context() as patched:
        for what in ("connect", "read", "write", "pool"):
            patched.setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, what, 60.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_hashed_in_no_time() -> Iterator[None]:
    """Those of this process; whole services hash theirs as in production, with a third of a second of work each."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_looked_for_once() -> Iterator[None]:
    """Django's test clients make all middleware anew, and WhiteNoise looks at hundreds of files each time."""
    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def look_once(self: WhiteNoiseMiddleware) -> None:
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Behind a test that commits the database is as the migrations left it, and not empty."""
    with django_db_blocker.unblock():
        shipped = Shipped.of(settings.DATA_DIR)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda _: shipped.restore())
        yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs PostgreSQL to PostgreSQL, and to SQLite what would tell nothing new there.

    That is what uses no database, what is marked so, and what is about S3: each service's statements are the same as
    with files, which run on both, and no statement waits for a storage.
    """
    fits = _runs_on_postgresql if connection.vendor == "postgresql" else _runs_on_sqlite
    left = [item for item in items if not fits(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if fits(item)]


def _runs_on_sqlite(item: pytest.Item) -> bool:
    return not item.get_closest_marker("postgres")


def _runs_on_postgresql(item: pytest.Item) -> bool:
    if any(map(item.get_closest_marker, (*_WHOLE_SERVICES, "postgres"))):
        return True
    if item.get_closest_marker("sqlite"):
        return False
    fixtures = _FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(item.get_closest_marker("django_db") or fixtures) and not _is_about_s3(item)


def _is_about_s3(item: pytest.Item) -> bool:
    parameters = getattr(item, "callspec", None)
    return "seaweed" in getattr(item, "fixturenames", ()) or bool(parameters and "s3" in parameters.params.values())


#: What a process keeps for as long as it lives, and what makes it as in a new one. Each test begins with that, so that
#: none decides how a later one ends.
_STATE: Mapping[str, Callable[[], None]] = {
    "how many jobs wait": backlog.forget,
    "how long jobs take": estimates.forget,
    "which engines it has noted": engines.forget,
    "what the worker of the process holds and suspects": shared_decoder.renew_worker,
    "the object stores": storage.store.cache_clear,
    "the store of the live site": storage.legacy_store.cache_clear,
    "the connections to RQ, and what their database is called": queue.forget,
    "whether requests can be counted": rate_counter.forget,
    "the keys that issuers publish": tokens.published_keys.cache_clear,
    "what every line of the log says": structlog.contextvars.clear_contextvars,
}
#: Kept on purpose, as they know nothing of what a test did: the worker's decoder (a test that changes its settings has
#: its own), the profiles that `pipeline.colour` has seen, Prometheus' registry (its one collector reads the database),
#: Django's content types.


def _forget_stores() -> None:
    storage.store.cache_clear()
    storage.legacy_store.cache_clear()


def _forget_buckets() -> None:
    _forget_stores()
    anonymous_pool.cache_clear()


#: What is made by settings, by the letters that these begin with.
_MADE_BY_SETTINGS: Mapping[str, Callable[[], None]] = {
    **dict.fromkeys(("OBJECTS_", "PUBLIC_", "CDN_", "MIN_FREE_"), _forget_stores),
    "S3_": _forget_buckets,
    "LEGACY_": storage.legacy_store.cache_clear,
    **dict.fromkeys(("WORK_DIR", "SANDBOX_MEMORY_"), shared_decoder.leave),
    "RQ_QUEUES": queue.forget,
    "": views.made.clear,  # the API's description tells of many
}


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> None:
    for forget in _STATE.values():
        forget()


def _make_anew(*, setting: str, **_: Any) -> None:
    for name, forget in _MADE_BY_SETTINGS.items():
        if setting.startswith(name):
            forget()


setting_changed.connect(_make_anew)


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What fixtures that live longer started is theirs. A whole service may start processes while others test it."""
    before = Leftovers.now()
    yield
    monkeypatch.undo()  # the last that a test changed, whoever asked for it first
    shared_decoder.renew_worker()
    before.assert_nothing_new(processes=not any(map(request.node.get_closest_marker, _WHOLE_SERVICES)))


@pytest.fixture(scope="session")
def seaweed() -> Iterator[SeaweedFS]:
    """A real S3 server for this process, started by the first test that wants it."""
    with seaweedfs() as running:
        yield running


@pytest.fixture
def object_store(tmp_path: Path, settings: Any) -> FileStore:
    """The store of all roles: files in a directory of this test."""
    settings.S3_BUCKET = ""
    settings.OBJECTS_DIR = tmp_path / "objects"
    store = storage.store(storage.Role.WORKER)
    assert isinstance(store, FileStore)
    return store


@pytest.fixture(scope="session")
def _queues_valkey() -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def valkey(_queues_valkey: "redis.Redis") -> "redis.Redis":
    """The queue's Valkey, empty."""
    _queues_valkey.flushdb()
    return _queues_valkey


def _queue_at(url: str, settings: Any) -> None:
    config = {"URL": url, "SERIALIZER": "rq.serializers.JSONSerializer"}
    settings.RQ_QUEUES = {lane: config for lane in settings.RQ_QUEUES}  # noqa: C420  (nobody changes it)


@pytest.fixture
def named_database(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the queues of a test without a database are called after."""
    monkeypatch.setattr(database, "short_name", functools.cache(lambda: "0123456789ab"))
    return database.short_name()


@pytest.fixture
def unreachable_queue(settings: Any) -> None:
    """A Redis that is not there."""
    _queue_at("redis://127.0.0.1:1/0", settings)


@pytest.fixture
def frozen_queue(settings: Any) -> Iterator[None]:
    """A Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _queue_at(f"redis://127.0.0.1:{listener.getsockname()[1]}/0", settings)
        yield
