"""The table is the truth; RQ's lists hold wake-ups, are kept short and may be lost at any time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from redis.client import Pipeline

from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.callers import ANONYMOUS
from media_jobs.models import Job
from media_jobs.services.jobs import dispatch, lifecycle
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.states import JobState, Lane
from tests.factories import make_job
from tests.measuring.counting import commands
from tests.working import named


def waiting_list() -> str:
    """Redis' name of the list of wake-ups for uploads."""
    return f"rq:queue:{queue.name_of(Lane.INTERACTIVE)}"


pytestmark = pytest.mark.django_db


def wakeups(lane: Lane = Lane.INTERACTIVE) -> int:
    return queue.lengths()[lane]


def test_there_are_at_most_queue_size_wakeups(settings, valkey):
    settings.QUEUE_SIZE = 3
    for _ in range(5):
        make_job()
    dispatch.top_up()
    assert wakeups() == 3
    assert dispatch.notify(Lane.INTERACTIVE) == 0


def test_there_are_never_more_wakeups_than_jobs(valkey):
    for _ in range(2):
        make_job()
    for _ in range(3):
        dispatch.top_up()
    assert wakeups() == 2


def test_each_job_that_is_committed_wakes_one_worker(valkey):
    assert [dispatch.notify(Lane.BULK) for _ in range(2)] == [1, 1]
    assert wakeups(Lane.BULK) == 2


def test_what_redis_forgot_is_made_up_for(valkey):
    make_job()
    dispatch.top_up()
    valkey.flushdb()
    dispatch.top_up()
    assert wakeups() == 1


def test_who_dies_while_waking_delays_nobody(valkey, monkeypatch):
    make_job()

    def die(pipeline: Pipeline) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "execute", die)
        with pytest.raises(KeyboardInterrupt):
            dispatch.top_up()
    dispatch.top_up()
    assert wakeups() == 1


def test_each_lane_has_a_list_of_its_own(valkey):
    make_job(lane=Lane.BULK)
    dispatch.top_up(Lane.INTERACTIVE)
    assert wakeups(Lane.BULK) == 0
    dispatch.top_up()
    assert wakeups(Lane.BULK) == 1


def test_only_jobs_whose_time_has_come_wake_somebody(valkey):
    make_job(state=JobState.DONE)
    make_job(not_before=timezone.now() + timedelta(minutes=1))
    dispatch.top_up()
    assert wakeups() == 0


def test_a_queue_that_is_away_is_no_error(settings, unreachable_queue):
    make_job()
    assert dispatch.notify(Lane.INTERACTIVE) == 0
    assert not dispatch.top_up()


def test_what_a_worker_lost_between_list_and_claim_wakes_another(valkey):
    make_job()
    dispatch.top_up()
    valkey.lpop(waiting_list())
    dispatch.top_up()
    assert wakeups() == 1


def test_full_lists_cost_one_trip_and_no_query(settings, valkey, django_assert_num_queries):
    settings.QUEUE_SIZE = 2
    for _ in range(3):
        make_job()
    dispatch.top_up()
    with django_assert_num_queries(0), commands(valkey) as seen:
        dispatch.top_up(Lane.INTERACTIVE)
    assert seen == ["LLEN"] * len(Lane)


def test_whoever_tops_up_goes_on_without_a_database(monkeypatch, valkey):
    def gone(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is closed")

    make_job()
    with monkeypatch.context() as broken:
        broken.setattr(selectors, "count_due", gone)
        assert not dispatch.top_up()
    assert dispatch.top_up()
    assert wakeups() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_top_up_at_once_never_overfill_the_list_and_hand_out_nobody_twice(settings, valkey):
    settings.QUEUE_SIZE = 8
    jobs = [make_job() for _ in range(50)]  # never all taken: of the last one a harmless wake-up may be left
    lengths, taken = [], []

    def top_up(number: int) -> None:
        try:
            for _ in range(5):
                dispatch.top_up(Lane.INTERACTIVE)
                lengths.append(wakeups())
                if valkey.lpop(waiting_list()) and (job := claim_next(Lane.INTERACTIVE, named(f"w{number}"))):
                    taken.append(job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(top_up, range(8)))
    dispatch.top_up(Lane.INTERACTIVE)
    assert max(lengths) <= 8
    assert len(set(taken)) == len(taken)
    assert set(taken) <= {job.pk for job in jobs}
    assert wakeups() == min(8, Job.objects.filter(state=JobState.QUEUED).count())


def test_a_job_that_was_cancelled_and_taken_up_again_wakes_somebody_at_once(valkey):
    job = make_job()
    dispatch.top_up()
    valkey.delete(waiting_list())  # a worker has answered, and found the job cancelled
    lifecycle.cancel(job.pk, actor=ANONYMOUS)
    lifecycle.retry(job.pk, actor=ANONYMOUS)
    dispatch.top_up()
    assert wakeups() == 1
