"""Forty threads that had work at once do not keep forty connections to SQLite."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db.backends.sqlite3.base import DatabaseWrapper

from media_jobs.adapters import kept_connections


class Connections(threading.local):
    """One for each thread, as Django has them."""

    vendor = "sqlite"

    def __init__(self, path: Path, opened: list[DatabaseWrapper]) -> None:
        self.own = DatabaseWrapper({**settings.DATABASES["default"], "NAME": str(path), "OPTIONS": {}})
        self.close = self.own.close
        opened.append(self.own)


@pytest.mark.django_db
def test_a_few_threads_keep_theirs_and_all_others_open_one_for_each_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[DatabaseWrapper] = []
    connections = Connections(tmp_path / "some.sqlite3", opened)
    monkeypatch.setattr(kept_connections, "connection", connections)
    monkeypatch.setattr(kept_connections, "_own", threading.local())
    monkeypatch.setattr(kept_connections, "_places", threading.BoundedSemaphore(kept_connections._MOST_KEPT))
    together = threading.Barrier(20)

    def request(_: int) -> bool:
        connections.own.ensure_connection()
        together.wait()
        kept_connections.close_surplus()
        return connections.own.connection is not None

    with ThreadPoolExecutor(20) as pool:
        for _ in range(2):
            still = list(pool.map(request, range(20)))
            assert sum(still) == kept_connections._MOST_KEPT

        def end(_: int) -> None:
            together.wait()
            connections.own.close()

        list(pool.map(end, range(20)))
