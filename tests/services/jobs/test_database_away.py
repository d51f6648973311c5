"""A connection that is cut, a commit whose answer is lost, a database that stays away for a while."""

import math
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from structlog.testing import capture_logs

from media_jobs.adapters import database
from media_jobs.models import Derivative, Job
from media_jobs.services import engines
from media_jobs.services.jobs import heartbeat, processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.attempt import Attempt
from media_jobs.states import DerivativeState, JobState, Lane
from tests import images, working
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(320, 240)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch) -> None:
    monkeypatch.setattr(database, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(heartbeat, "REPORT_AFTER_S", math.inf)  # else a slow machine writes now and then


def process() -> None:
    """The one job that is due."""
    worker = workers.current()
    worker.suspects_outage = False
    assert processing.process_next(Lane.INTERACTIVE, worker)


class Counter:
    """Calls `cut` at the time with that number; counts from 1. At none with 0."""

    def __init__(self, number: int, cut: Callable[[], None]) -> None:
        self.count, self._number, self._cut = 0, number, cut

    def __call__(self) -> bool:
        self.count += 1
        if self.count == self._number:
            self._cut()
            return True
        return False


def cut() -> None:
    """Fail like a server or network that is gone."""
    if connection.vendor == "postgresql":
        with socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as wire:
            wire.shutdown(socket.SHUT_RDWR)
    else:
        raise OperationalError("unable to open database file")


@contextmanager
def cutting_query(number: int) -> Iterator[Counter]:
    counter = Counter(number, cut)

    def execute(run: Callable[..., Any], *args: Any) -> Any:
        counter()
        return run(*args)

    with connection.execute_wrapper(execute):
        yield counter


@contextmanager
def losing_commit(number: int, monkeypatch, *, done: bool) -> Iterator[Counter]:
    """Cut before a commit is asked for, or after it was done and before its answer came."""
    counter, commit = Counter(number, lambda: None), type(connections["default"])._commit  # type: ignore[attr-defined]

    def lose(self: Any) -> Any:
        if not counter():
            return commit(self)
        if done:
            commit(self)
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "_commit", lose)
        yield counter


def assert_done_once(job: Job) -> None:
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.DONE, 1)
    numbers, types = zip(*job.events.values_list("number", "type"), strict=True)
    assert types == ("queued", "claimed", "done")
    assert numbers == (1, 2, 3)
    assert Derivative.objects.filter(state=DerivativeState.CURRENT).count() == 4
    assert Derivative.objects.count() == 4


def test_a_job_is_done_at_whichever_query_the_connection_is_cut(photo):
    original = make_original(photo)
    make_job(original)
    with cutting_query(0) as whole:
        process()
    assert whole.count > 10
    for number in range(1, whole.count + 1):
        Derivative.objects.all().delete()
        job = make_job(original)
        with cutting_query(number):
            process()
        assert_done_once(job)


@pytest.mark.parametrize("done", [False, True], ids=["never done", "done and not answered"])
def test_a_job_is_done_once_whichever_commit_is_lost(photo, monkeypatch, done):
    original = make_original(photo)
    make_job(original)
    with losing_commit(0, monkeypatch, done=False) as whole:
        process()
    assert whole.count == 4
    for number in range(1, whole.count + 1):
        Derivative.objects.all().delete()
        engines.forget()
        job = make_job(original)
        with losing_commit(number, monkeypatch, done=done), capture_logs() as logs:
            process()
        assert_done_once(job)
        assert "job_done" in {entry["event"] for entry in logs}  # the worker, too, knows that it did it


@pytest.mark.parametrize("done", [False, True], ids=["never done", "done and not answered"])
def test_a_failure_is_written_once_whichever_commit_is_lost(monkeypatch, done):
    for number in (1, 2, 3):
        job = make_job(make_original(b"\xff\xd8\xff\xe0 no picture"))
        with losing_commit(number, monkeypatch, done=done):
            process()
        job.refresh_from_db()
        assert (job.state, job.attempt) == (JobState.FAILED, 1)
        assert [event.type for event in job.events.all()].count("failed") == 1


def test_after_a_long_absence_of_the_database_a_job_in_hand_is_put_back_at_once(photo, monkeypatch):
    monkeypatch.setattr(database, "RETRY_FOR_S", 0.01)
    job = make_job(make_original(photo))

    def away(*_: Any) -> None:
        raise OperationalError("the database system is starting up")

    store = Attempt._store

    def cut_and_store(*args: Any) -> None:
        connection.execute_wrappers.append(away)
        store(*args)

    with monkeypatch.context() as patch, connection.execute_wrapper(lambda run, *args: run(*args)):
        patch.setattr(Attempt, "_store", cut_and_store)
        working.run(job.pk)
        connection.execute_wrappers.remove(away)
    assert workers.current().suspects_outage
    job.refresh_from_db()
    assert (job.state, job.worker) == (JobState.PROCESSING, workers.current().id)
    assert processing.requeue_own(workers.current()) == 1
    assert processing.requeue_own(workers.current()) == 0
    working.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.max_attempts) == (JobState.DONE, 2, 3)
    assert list(job.events.values_list("type", flat=True))[:3] == ["queued", "claimed", "handed_back"]


def test_a_job_that_is_put_back_again_and_again_comes_to_an_end():
    job = make_job(max_attempts=1)
    working.claim(job.pk, workers.current().id)
    processing.requeue_own(workers.current())
    job.refresh_from_db()
    assert (job.state, job.code) == (JobState.FAILED, "worker_lost")


def test_what_others_work_on_is_not_put_back():
    job = working.claim(make_job().pk, "another")
    assert processing.requeue_own(workers.current()) == 0
    job.refresh_from_db()
    assert job.state == JobState.PROCESSING
