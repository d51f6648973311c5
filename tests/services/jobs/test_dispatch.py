"""The table is the truth; RQ's lists are kept short and may be lost at any time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
import redis
from django.db import OperationalError, connection
from django.utils import timezone
from redis.client import Pipeline

from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.callers import ANONYMOUS
from media_jobs.errors import NotClaimable
from media_jobs.models import Job
from media_jobs.services.jobs import dispatch, lifecycle, processing
from media_jobs.states import JobState, Lane
from tests.factories import make_job

pytestmark = pytest.mark.django_db


def test_at_most_queue_size_jobs_are_announced_the_oldest_first(settings, valkey):
    settings.QUEUE_SIZE = 3
    jobs = [make_job() for _ in range(5)]
    assert dispatch.wake() == 3
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk for job in jobs[:3]]


def test_a_job_is_announced_once(valkey):
    make_job()
    assert dispatch.wake() == 1
    assert dispatch.wake() == 0


def test_what_redis_forgot_is_announced_again(valkey):
    job = make_job()
    dispatch.wake()
    valkey.flushdb()
    dispatch.wake()
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk]


def test_who_dies_while_announcing_a_job_does_not_delay_it(valkey, monkeypatch):
    job = make_job()

    def die(pipeline: Pipeline) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "execute", die)
        with pytest.raises(KeyboardInterrupt):
            dispatch.wake()
    assert dispatch.wake() == 1
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk]


def test_each_lane_has_a_list_of_its_own(valkey):
    bulk = make_job(lane=Lane.BULK)
    dispatch.wake(Lane.INTERACTIVE)
    assert queue.waiting(Lane.BULK) == []
    dispatch.wake()
    assert queue.waiting(Lane.BULK) == [bulk.pk]


def test_only_waiting_jobs_whose_time_has_come_are_announced(valkey):
    make_job(state=JobState.DONE)
    make_job(not_before=timezone.now() + timedelta(minutes=1))
    assert dispatch.wake() == 0


def test_a_queue_that_is_away_is_no_error(settings, unreachable_queue):
    make_job()
    assert dispatch.wake() == 0


def test_what_a_worker_has_just_taken_is_not_announced_again(valkey):
    make_job()
    dispatch.wake()
    valkey.lpop("rq:queue:interactive")
    assert dispatch.wake() == 0


def test_what_a_worker_lost_between_list_and_claim_is_announced_again(valkey):
    job = make_job()
    dispatch.wake()
    valkey.lpop("rq:queue:interactive")
    expire_marks(valkey)
    dispatch.wake()
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk]


def test_jobs_on_their_way_to_a_worker_take_no_places_in_the_list(settings, valkey):
    settings.QUEUE_SIZE = 3
    jobs = [make_job() for _ in range(7)]
    dispatch.wake()
    valkey.delete("rq:queue:interactive")  # three workers took one each, and died
    assert dispatch.wake() == 3
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk for job in jobs[3:6]]


def test_a_full_list_costs_one_call_and_no_query(settings, valkey, django_assert_num_queries):
    settings.QUEUE_SIZE = 2
    for _ in range(3):
        make_job()
    dispatch.wake()
    with django_assert_num_queries(0), commands(valkey) as seen:
        dispatch.wake(Lane.INTERACTIVE)
    assert seen == ["LRANGE"]


def test_with_nothing_to_announce_it_is_one_call_and_one_query(valkey, django_assert_num_queries):
    make_job()
    dispatch.wake()
    with django_assert_num_queries(1), commands(valkey) as seen:
        dispatch.wake(Lane.INTERACTIVE)
    assert seen == ["LRANGE"]


def test_jobs_that_no_longer_wait_are_out_of_the_way_first(settings, valkey):
    settings.QUEUE_SIZE = 3
    first, cancelled, third, fourth = (make_job() for _ in range(4))
    dispatch.wake()
    Job.objects.filter(pk=cancelled.pk).update(state=JobState.CANCELLED)
    valkey.lpop("rq:queue:interactive")
    processing.claim(first.pk, "worker")
    dispatch.wake()
    assert queue.waiting(Lane.INTERACTIVE) == [cancelled.pk, third.pk, fourth.pk]


def test_whoever_tops_up_goes_on_without_a_database(monkeypatch, valkey):
    def gone(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is closed")

    job = make_job()
    with monkeypatch.context() as broken:
        broken.setattr(selectors, "claimable", gone)
        assert dispatch.wake() == 0
    assert dispatch.wake() == 1
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk]


def test_a_job_delivered_twice_is_claimed_once(valkey):
    job = make_job()
    dispatch.wake()
    queue.ring(Lane.INTERACTIVE, job.pk, job.last_event)
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk, job.pk]
    assert dispatch.wake() == 0
    processing.claim(job.pk, "one")
    with pytest.raises(NotClaimable):
        processing.claim(job.pk, "another")


@pytest.mark.django_db(transaction=True)
def test_many_who_top_up_at_once_never_overfill_the_list_and_announce_nobody_twice(settings, valkey):
    settings.QUEUE_SIZE = 8
    jobs = [make_job() for _ in range(30)]
    lengths, taken = [], []

    def top_up(_: int) -> None:
        try:
            for _ in range(5):
                dispatch.wake(Lane.INTERACTIVE)
                lengths.append(len(queue.waiting(Lane.INTERACTIVE)))
                if rq_id := valkey.lpop("rq:queue:interactive"):
                    job_id = UUID(rq_id.decode().rpartition("-")[0])
                    taken.append(job_id)
                    processing.claim(job_id, "worker")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(top_up, range(8)))
    dispatch.wake(Lane.INTERACTIVE)
    assert max(lengths) <= 8
    assert len(set(taken)) == len(taken)
    assert set(taken) | set(queue.waiting(Lane.INTERACTIVE)) >= {job.pk for job in jobs[: len(taken) + 8]}


@contextmanager
def commands(valkey: redis.Redis) -> Iterator[list[str]]:
    """The names of the commands sent to this database meanwhile, greetings of new connections aside."""
    seen: list[str] = []
    own_db = valkey.get_connection_kwargs()["db"]  # what is watched is the server, with the databases of other tests
    with redis.Redis(connection_pool=valkey.connection_pool) as watched, watched.monitor() as monitor:
        yield seen
        valkey.echo("the end")
        for command in monitor.listen():
            if command["db"] != own_db:
                continue
            if command["command"] == "ECHO the end":
                break
            if (name := command["command"].split()[0]) not in {"HELLO", "CLIENT", "SELECT"}:
                seen.append(name)


def expire_marks(valkey: redis.Redis) -> None:
    """As if half a minute had gone by."""
    for mark in valkey.scan_iter("gallimg:rung:*"):
        assert valkey.ttl(mark) <= queue.RING_AGAIN_S
        valkey.delete(mark)


def test_a_job_that_was_cancelled_and_taken_up_again_is_announced_at_once(valkey):
    """Its attempt is the same as before, and the mark of the former announcement is still there."""
    job = make_job()
    dispatch.wake()
    valkey.delete("rq:queue:interactive")  # a worker has taken the id and found the job cancelled
    lifecycle.cancel(job.pk, actor=ANONYMOUS)
    lifecycle.retry(job.pk, actor=ANONYMOUS)
    dispatch.wake()
    assert queue.waiting(Lane.INTERACTIVE) == [job.pk]
