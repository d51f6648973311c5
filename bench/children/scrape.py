"""One process with one database of jobs: does what a line of JSON asks, and answers with a line of JSON.

{"fill": {"done": 1000, "queued": 100}}
{"scrape": 20}      seconds of each: elapsed, and of processor time, the database's with it
{"due_tasks": true}   seconds that housekeeping takes once, with everything due, and whether all objects are listed
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django

django.setup()

from django.db import connection
from django.test import Client

from bench.children import scale_data
from bench.children.lines import answer_each
from media_jobs.adapters.storage import Role, store
from media_jobs.models import MaintenanceTask, Original
from media_jobs.services.housekeeping import TaskSchedule


class _AllOriginals:
    """A store that lists an object for each original, and has none of them."""

    def keys(self, prefix: str = "", *, after: str = "") -> Iterator[str]:
        rows = Original.objects.filter(key__startswith=prefix, key__gt=after).order_by("key")
        yield from rows.values_list("key", flat=True).iterator(chunk_size=1000)

    def __getattr__(self, name: str) -> Any:
        return getattr(store(Role.WORKER), name)


class Bed:
    """A filled database."""

    def __init__(self, *, done: int, queued: int) -> None:
        self._client = Client(SERVER_NAME="localhost")
        scale_data.fill(done=done, queued=queued)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._backend: int = cursor.fetchone()[0]
        self._schedule = TaskSchedule(notify=lambda: None)

    def scrape(self) -> tuple[float, float]:
        begun, worked = time.perf_counter(), time.process_time() + self._database_s()
        answer = self._client.get("/metrics")
        seconds = time.perf_counter() - begun, time.process_time() + self._database_s() - worked
        assert b"database_up 1.0" in answer.content
        return seconds

    def run_due_tasks(self) -> tuple[float, bool]:
        with (
            patch.object(self._schedule._timers, "is_due", lambda *_, **__: True),
            patch("media_jobs.services.housekeeping.orphans.store", lambda _: _AllOriginals()),
        ):
            begun = time.perf_counter()
            self._schedule.run_due_tasks()
            took_s = time.perf_counter() - begun
        return took_s, MaintenanceTask.objects.filter(name="orphans", finished_at__isnull=False).exists()

    def _database_s(self) -> float:
        """Processor time so far, by Linux, to the nanosecond; where there is no /proc, 0."""
        times = Path(f"/proc/{self._backend}/schedstat")
        return int(times.read_text().split()[0]) / 1e9 if times.exists() else 0.0


def main() -> None:
    bed: Any = None

    def answer(question: dict[str, Any]) -> object:
        nonlocal bed
        match question:
            case {"fill": numbers}:
                bed = Bed(**numbers)
                return []
            case {"scrape": times}:
                return [bed.scrape() for _ in range(times)]
            case {"due_tasks": True}:
                return bed.run_due_tasks()
        raise ValueError(question)

    answer_each(answer)


if __name__ == "__main__":
    main()
