"""The table is the truth; RQ's lists are kept short and may be lost at any time."""

from datetime import timedelta

import pytest
from django.utils import timezone
from redis.client import Pipeline

from media_jobs.adapters import queue
from media_jobs.services import dispatch
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
