"""The worker's loop: which lane comes next, and how it stops."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import django_rq
import pytest
from structlog.testing import capture_logs

from media_jobs.adapters import queue
from media_jobs.runtime.rq_worker import HEAVY_EVERY, ResilientWorker
from media_jobs.services.jobs import processing
from media_jobs.states import Lane


@pytest.fixture(autouse=True)
def _own_handlers(valkey) -> Iterator[None]:
    """RQ takes over the signals for good."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def work(on_tick: Callable[[], None] = lambda: None, **kwargs: Any) -> None:
    queues = [django_rq.get_queue(lane.value) for lane in Lane]
    connection, serializer = queues[0].connection, queues[0].serializer
    worker = ResilientWorker(
        queues, on_tick=on_tick, connection=connection, serializer=serializer, name=str(uuid4()), **kwargs
    )
    worker.work(logging_level="ERROR")


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def stop_once(before: list[str]) -> None:
    """Where the first signal was not heeded there is no second: the test fails instead of going on for ever."""
    if before.count("tick") > 1:
        raise SystemExit("went on after the signal")
    stop()


def deliver(lane: Lane, count: int) -> dict[UUID, Lane]:
    jobs = {uuid4(): lane for _ in range(count)}
    for job in jobs:
        queue.ring(lane, job, 1)
    return jobs


@pytest.fixture
def order(monkeypatch) -> Callable[[dict[UUID, Lane]], list[Lane]]:
    """Works through the jobs that were delivered and tells of which lanes they were."""

    def worked(jobs: dict[UUID, Lane]) -> list[Lane]:
        seen: list[Lane] = []

        def note(job_id: UUID) -> None:
            seen.append(jobs[job_id])
            if len(seen) == len(jobs):
                stop()

        monkeypatch.setattr(processing, "run", note)
        monkeypatch.setattr("media_jobs.tasks.close_old_connections", lambda: None)
        work()
        return seen

    return worked


def test_uploads_come_before_bulk_and_both_before_heavy_jobs(order):
    jobs = deliver(Lane.HEAVY, 1) | deliver(Lane.BULK, 2) | deliver(Lane.INTERACTIVE, 2)
    assert order(jobs) == [Lane.INTERACTIVE] * 2 + [Lane.BULK] * 2 + [Lane.HEAVY]


def test_a_heavy_job_gets_its_turn_under_any_number_of_uploads_bulk_does_not(order):
    jobs = deliver(Lane.INTERACTIVE, 3 * HEAVY_EVERY) | deliver(Lane.HEAVY, 2) | deliver(Lane.BULK, 1)
    seen = order(jobs)
    assert [n for n, lane in enumerate(seen, start=1) if lane == Lane.HEAVY] == [HEAVY_EVERY, 2 * HEAVY_EVERY]
    assert seen[-1] == Lane.BULK


def test_a_heavy_lane_with_much_in_it_leaves_the_rest_to_uploads(order):
    jobs = deliver(Lane.HEAVY, 20) | deliver(Lane.INTERACTIVE, 10)
    seen = order(jobs)
    assert seen[:11] == [Lane.INTERACTIVE] * 7 + [Lane.HEAVY] + [Lane.INTERACTIVE] * 3


def test_a_stop_during_upkeep_ends_it_and_is_no_error_of_it():
    told: list[str] = []

    def tick() -> None:
        told.append("tick")
        stop_once(told)
        told.append("went on")

    with capture_logs() as logged:
        work(tick)
    assert (told, logged) == (["tick"], [])


def test_a_stop_counts_even_if_the_upkeep_takes_it_for_an_error_of_its_own():
    told: list[str] = []

    def tick() -> None:
        told.append("tick")
        with suppress(Exception):
            stop_once(told)

    work(tick)
    assert told == ["tick"]


def test_an_error_in_the_upkeep_stops_nobody():
    told: list[str] = []

    def tick() -> None:
        told.append("tick")
        if len(told) == 3:
            stop()
        raise OSError

    work(tick)
    assert len(told) == 3


def test_a_stop_is_told_once_before_the_worker_ends():
    told: list[str] = []

    def tick() -> None:
        told.append("tick")
        stop_once(told)

    work(tick, on_stop=lambda: told.append("stop"))
    assert told == ["tick", "stop"]


def test_a_stop_is_one_whatever_becomes_of_who_is_told_of_it():
    told: list[str] = []

    def tick() -> None:
        told.append("tick")
        stop_once(told)

    def fail() -> None:
        raise OSError

    work(tick, on_stop=fail)
    assert told == ["tick"]


def test_a_stop_during_a_job_is_told_at_once_and_the_job_ends_first(monkeypatch):
    told: list[str] = []

    def job(_: UUID) -> None:
        stop()
        told.append("job ended")

    monkeypatch.setattr(processing, "run", job)
    monkeypatch.setattr("media_jobs.tasks.close_old_connections", lambda: None)
    deliver(Lane.INTERACTIVE, 2)
    work(on_stop=lambda: told.append("stop"))
    assert told == ["stop", "job ended"]
    assert len(queue.waiting(Lane.INTERACTIVE)) == 1
