"""Migrations wait for nobody for long, so that nobody waits for them."""

import threading

import pytest
from django.db import connection, transaction

from media_jobs.runtime import migrating
from media_jobs.runtime.resources import CannotStart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(migrating, "_PAUSE_S", 0.05)


@pytest.fixture
def altered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A migration that changes a table, in place of the real ones; how often it came through."""
    done: list[str] = []

    def migrate(*_: str, **__: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE media_jobs_tombstone")  # as ALTER TABLE does
            cursor.execute("SHOW lock_timeout")
            done.append(cursor.fetchone()[0])

    monkeypatch.setattr(migrating, "call_command", migrate)
    return done


def test_whoever_uses_a_table_is_waited_for_again_and_again_and_holds_up_nobody(altered: list[str]) -> None:
    with holding(1.0):
        migrating.migrate()
    assert altered == ["50ms"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)  # the connection is as it was


def test_who_never_ends_is_named(altered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "TRIES", 2)
    with holding(None), pytest.raises(CannotStart, match="pg_stat_activity"):
        migrating.migrate()
    assert altered == []


class holding:  # noqa: N801  (reads as a sentence)
    """Somebody else reads a table in a transaction that lasts; None: until the end."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds, self._ended, self._began = seconds, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._began.wait(30)

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    def _run(self) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM media_jobs_tombstone")
                self._began.set()
                self._ended.wait(self._seconds)
        finally:
            connection.close()
