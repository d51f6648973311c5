"""The worker's loop: which lane comes next, and how it stops."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from media_jobs.adapters import queue
from media_jobs.runtime.rq_worker import ResilientWorker
from media_jobs.services.jobs import processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import HEAVY_EVERY, Worker
from media_jobs.states import Lane

pytestmark = pytest.mark.usefixtures("named_database")


@pytest.fixture(autouse=True)
def _own_handlers(valkey) -> Iterator[None]:
    """RQ takes over the signals for good."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def work(between_jobs: Callable[[], None] = lambda: None, **kwargs: Any) -> None:
    worker, queues = workers.current(), queue.worker_queues()
    connection, serializer = queues[0].connection, queues[0].serializer
    ResilientWorker(
        queues,
        between_jobs=between_jobs,
        next_queues=lambda: [queue.name_of(lane) for lane in worker.next_lanes()],
        connection=connection,
        serializer=serializer,
        name=worker.id,
        **kwargs,
    ).work(logging_level="ERROR")


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def stop_once(before: list[str]) -> None:
    """Stop once: where that is not heeded, the test fails instead of going on for ever."""
    if before.count("between jobs") > 1:
        raise SystemExit("went on after the signal")
    stop()


def deliver(lane: Lane, count: int) -> list[Lane]:
    queue.enqueue_wakeups(lane, count, at_most=count)
    return [lane] * count


@pytest.fixture
def order(monkeypatch) -> Callable[[list[Lane]], list[Lane]]:
    """Answers the wake-ups that were delivered, each by one job, and tells of which lanes they were."""

    def worked(delivered: list[Lane]) -> list[Lane]:
        seen: list[Lane] = []

        def note(lane: Lane, worker: Worker) -> None:
            seen.append(lane)
            worker.count_job(lane, 0)
            if len(seen) == len(delivered):
                stop()

        monkeypatch.setattr(processing, "process_lane", note)
        monkeypatch.setattr("media_jobs.tasks.close_old_connections", lambda: None)
        work()
        return seen

    return worked


def test_uploads_come_before_bulk_and_both_before_heavy_jobs(order):
    jobs = deliver(Lane.HEAVY, 1) + deliver(Lane.BULK, 2) + deliver(Lane.INTERACTIVE, 2)
    assert order(jobs) == [Lane.INTERACTIVE] * 2 + [Lane.BULK] * 2 + [Lane.HEAVY]


def test_a_heavy_job_gets_its_turn_under_any_number_of_uploads_bulk_does_not(order):
    jobs = deliver(Lane.INTERACTIVE, 3 * HEAVY_EVERY) + deliver(Lane.HEAVY, 2) + deliver(Lane.BULK, 1)
    seen = order(jobs)
    assert [n for n, lane in enumerate(seen, start=1) if lane == Lane.HEAVY] == [HEAVY_EVERY, 2 * HEAVY_EVERY]
    assert seen[-1] == Lane.BULK


def test_a_heavy_lane_with_much_in_it_leaves_the_rest_to_uploads(order):
    jobs = deliver(Lane.HEAVY, 20) + deliver(Lane.INTERACTIVE, 10)
    seen = order(jobs)
    assert seen[:11] == [Lane.INTERACTIVE] * 7 + [Lane.HEAVY] + [Lane.INTERACTIVE] * 3


def test_a_stop_during_upkeep_ends_it_and_is_no_error_of_it():
    events: list[str] = []

    def between_jobs() -> None:
        events.append("between jobs")
        stop_once(events)
        events.append("went on")

    with capture_logs() as logged:
        work(between_jobs)
    assert (events, logged) == (["between jobs"], [])


def test_a_stop_counts_even_if_the_upkeep_takes_it_for_an_error_of_its_own():
    events: list[str] = []

    def between_jobs() -> None:
        events.append("between jobs")
        with suppress(Exception):
            stop_once(events)

    work(between_jobs)
    assert events == ["between jobs"]


@pytest.mark.slow
def test_an_error_in_the_upkeep_stops_nobody():
    events: list[str] = []

    def between_jobs() -> None:
        events.append("between jobs")
        if len(events) == 3:
            stop()
        raise OSError

    work(between_jobs)
    assert len(events) == 3


def test_a_stop_is_reported_once_before_the_worker_ends():
    events: list[str] = []

    def between_jobs() -> None:
        events.append("between jobs")
        stop_once(events)

    work(between_jobs, on_stop=lambda: events.append("stop"))
    assert events == ["between jobs", "stop"]


def test_a_stop_is_one_whatever_becomes_of_its_report():
    events: list[str] = []

    def between_jobs() -> None:
        events.append("between jobs")
        stop_once(events)

    def fail() -> None:
        raise OSError

    work(between_jobs, on_stop=fail)
    assert events == ["between jobs"]


def test_a_stop_during_a_job_is_reported_at_once_and_the_job_ends_first(monkeypatch):
    events: list[str] = []

    def answer(lane: Lane, worker: Worker) -> None:
        stop()
        events.append("job ended")

    monkeypatch.setattr(processing, "process_lane", answer)
    monkeypatch.setattr("media_jobs.tasks.close_old_connections", lambda: None)
    deliver(Lane.INTERACTIVE, 2)
    work(on_stop=lambda: events.append("stop"))
    assert events == ["stop", "job ended"]
    assert queue.lengths()[Lane.INTERACTIVE] == 1


def test_without_redis_a_worker_works_all_the_same_and_stops_when_asked_to(settings, unreachable_queue):
    events: list[str] = []

    def by_itself() -> None:
        events.append("worked")
        if len(events) == 2:
            stop()
            events.append("ended what it had in hand")

    work(without_queue=by_itself)
    assert events == ["worked", "worked", "ended what it had in hand"]


@pytest.mark.slow
def test_a_frozen_redis_holds_a_worker_up_for_seconds_only(settings, frozen_queue):
    work(without_queue=stop)
