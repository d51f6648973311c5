"""PgBouncer in transaction mode: nothing relies on what a session remembers."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from structlog.testing import capture_logs

from media_jobs.adapters import database as adapter
from media_jobs.adapters import notices
from media_jobs.runtime import preparation
from media_jobs.runtime.resources import CannotStart
from tests.e2e.databases import database
from tests.e2e.service import Service
from tests.servers.pgbouncer import pgbouncer

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.postgres]

_ADVISORY = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


def test_hosts_start_one_after_the_other_and_work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pooled")
    with database(empty=True) as url, pgbouncer(url) as pooled:
        first = Service(folder / "first", {"DATABASE_URL": pooled, "WORKERS": "1"})
        second = Service(folder / "second", {"DATABASE_URL": pooled, "WORKERS": "0"})
        try:
            first.start()
            with psycopg.connect(url) as direct:
                assert direct.execute(_ADVISORY).fetchone() == (0,)
            second.start()  # which waited for ever
            assert first.upload()["status"] == "done"
        finally:
            second.kill()
            first.kill()


@pytest.fixture
def pooled(django_db_blocker: Any) -> Iterator[BaseDatabaseWrapper]:
    """A connection through the pooler, of no service."""
    with database() as url, pgbouncer(url) as through, django_db_blocker.unblock():
        parts, found = urlsplit(through), connection.copy()
        found.settings_dict = {
            **found.settings_dict,
            "HOST": parts.hostname,
            "PORT": str(parts.port),
            "NAME": parts.path[1:],
            "USER": parts.username,
        }
        try:
            yield found
        finally:
            found.close()


def test_a_silent_transaction_ends_behind_a_pooler_too_and_the_pool_learns_nothing(pooled, monkeypatch):
    monkeypatch.setattr(adapter, "IDLE_IN_TRANSACTION_S", 1)
    setting = "SHOW idle_in_transaction_session_timeout"
    with pooled.cursor() as cursor:
        cursor.execute(setting)
        assert cursor.fetchone() == ("0",)
    pooled.set_autocommit(False)
    with pooled.cursor() as cursor:
        cursor.execute(setting)
        assert cursor.fetchone() == ("1s",)
        time.sleep(3)
        with pytest.raises(adapter.CONNECTION_ERRORS):
            cursor.execute("SELECT 1")


def test_nobody_listens_on_a_session_that_is_somebody_elses(pooled, monkeypatch):
    for module in (adapter, notices):
        monkeypatch.setattr(module, "connection", pooled)
    assert isinstance(notices.notices(), notices._Waiting)
    with closing(notices.Alarm()) as alarm:
        assert not notices.notices().wait(alarm, 0.01)
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_listening_channels()")
        assert cursor.fetchall() == []


def test_who_migrates_for_too_long_is_waited_for_and_named(pooled, monkeypatch):
    with holding_the_lock(pooled), monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(preparation, "connection", pooled)
        patch.setattr(preparation, "LOCK_LIMIT_S", 1.0)
        with pytest.raises(CannotStart, match="Another host has been migrating"), preparation.alone():
            raise AssertionError
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "connection", pooled)
        with preparation.alone():
            pass
    assert [entry["event"] for entry in logs] == ["waiting_for_migration"]


@contextmanager
def holding_the_lock(pooled: BaseDatabaseWrapper) -> Iterator[None]:
    """Another host is migrating."""
    other = pooled.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [preparation.MIGRATION_LOCK])
        yield
    finally:
        other.close()
