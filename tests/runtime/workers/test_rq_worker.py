"""The worker's loop: which lane comes next, and how it stops."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from media_jobs.adapters import queue
from media_jobs.runtime.workers.rq_worker import ResilientWorker
from media_jobs.services.jobs import processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import HEAVY_EVERY, Worker
from media_jobs.states import Lane

pytestmark = pytest.mark.usefixtures("named_database", "valkey")

#: What tests call of the worker that works.
Stop = Callable[[], None]


def rq_worker(between_jobs: Callable[[Stop], None] = lambda stop: None, **kwargs: Any) -> ResilientWorker:
    worker, queues = workers.current(), queue.worker_queues()
    made = ResilientWorker(
        queues,
        between_jobs=lambda: between_jobs(made.stop),
        next_queues=lambda: [queue.name_of(lane) for lane in worker.next_lanes()],
        connection=queues[0].connection,
        serializer=queues[0].serializer,
        name=worker.id,
        **kwargs,
    )
    return made


def work(between_jobs: Callable[[Stop], None] = lambda stop: None, **kwargs: Any) -> None:
    rq_worker(between_jobs, **kwargs).work(logging_level="ERROR")


def deliver(lane: Lane, count: int) -> list[Lane]:
    queue.enqueue_wakeups(lane, count, at_most=count)
    return [lane] * count


@pytest.fixture
def order(monkeypatch) -> Callable[[list[Lane]], list[Lane]]:
    """Answers the wake-ups that were delivered, each by one job, and tells of which lanes they were."""

    def worked(delivered: list[Lane]) -> list[Lane]:
        seen: list[Lane] = []
        at_work = rq_worker()

        def note(lane: Lane, worker: Worker) -> None:
            seen.append(lane)
            worker.count_job(lane, 0)
            if len(seen) == len(delivered):
                at_work.stop()

        monkeypatch.setattr(processing, "process_lane", note)
        monkeypatch.setattr("media_jobs.tasks.close_old_connections", lambda: None)
        at_work.work(logging_level="ERROR")
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


def test_a_stop_during_upkeep_counts_once_that_has_ended():
    events: list[str] = []

    def between_jobs(stop: Stop) -> None:
        events.append("between jobs")
        stop()
        events.append("ended what it had begun")

    with capture_logs() as logged:
        work(between_jobs)
    assert (events, logged) == (["between jobs", "ended what it had begun"], [])


@pytest.mark.slow
def test_an_error_in_the_upkeep_stops_nobody():
    events: list[str] = []

    def between_jobs(stop: Stop) -> None:
        events.append("between jobs")
        if len(events) == 3:
            stop()
        raise OSError

    work(between_jobs)
    assert len(events) == 3


def test_a_stop_during_a_job_lets_it_end_and_takes_no_further_one(monkeypatch):
    events: list[str] = []
    at_work = rq_worker()

    def answer(lane: Lane, worker: Worker) -> None:
        at_work.stop()
        events.append("job ended")

    monkeypatch.setattr(processing, "process_lane", answer)
    monkeypatch.setattr("media_jobs.tasks.close_old_connections", lambda: None)
    deliver(Lane.INTERACTIVE, 2)
    at_work.work(logging_level="ERROR")
    assert events == ["job ended"]
    assert queue.lengths()[Lane.INTERACTIVE] == 1


def test_a_stop_ends_the_wait_for_a_wake_up_at_once_and_is_no_error(monkeypatch, caplog):
    monkeypatch.setattr("media_jobs.runtime.workers.rq_worker._IDLE_WAIT_S", 200)  # the test would end before it does
    at_work = rq_worker()
    working = threading.Thread(target=at_work.work, kwargs={"logging_level": "ERROR"}, daemon=True)
    working.start()
    while not _is_waiting(at_work):
        time.sleep(0.01)
    while working.is_alive():
        at_work.stop()
        working.join(0.05)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def _is_waiting(at_work: ResilientWorker) -> bool:
    return any(client["cmd"] == "blpop" and "b" in client["flags"] for client in at_work.connection.client_list())


def test_without_redis_a_worker_works_all_the_same_and_stops_when_asked_to(settings, unreachable_queue):
    events: list[str] = []

    def by_itself() -> None:
        events.append("worked")
        if len(events) == 2:
            at_work.stop()
            events.append("ended what it had in hand")

    at_work = rq_worker(without_queue=by_itself)
    at_work.work(logging_level="ERROR")
    assert events == ["worked", "worked", "ended what it had in hand"]


@pytest.mark.slow
def test_a_frozen_redis_holds_a_worker_up_for_seconds_only(settings, frozen_queue):
    def stop() -> None:
        at_work.stop()

    at_work = rq_worker(without_queue=stop)
    at_work.work(logging_level="ERROR")
